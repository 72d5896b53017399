/**
 * What a pool full of projects costs that nobody uses: the start that looks at each, and a sweep that asks each whether it
 * holds anything new. On the fake ZFS, whose answers are replayed where only the engine's own time is wanted; and, fewer, on
 * the real one of the machine. Figures are times, so less is better.
 */
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createProjectHere } from '../daemon/projects/create.ts'
import type { ProjectHost } from '../daemon/projects/host.ts'
import { ID_PROPERTY, OUR_PROPERTIES, POINT_PROPERTY } from '../daemon/projects/names.ts'
import { reconcile } from '../daemon/projects/reconcile.ts'
import { save } from '../daemon/projects/save.ts'
import { listInBrief } from '../native/zfs/list.ts'
import { unmount } from '../native/zfs/mount.ts'
import { projectDataset } from '../native/zfs/names.ts'
import { Commands } from '../native/zfs/run.ts'
import type { Zfs } from '../native/zfs/zfs.ts'
import { allOf } from '../pipeline/base/all-of.ts'
import { type ProjectId, projectId } from '../pipeline/base/ids.ts'
import { MIB } from '../pipeline/base/units.ts'
import { memoryStore } from '../pipeline/stores/memory.ts'
import { type FakeZfs, withFakeZfs } from '../test/support/fake-zfs.ts'
import { projectHost } from '../test/support/project-host.ts'
import { needs } from '../test/support/runner/needs.ts'
import { withPool } from '../test/support/zfs-pool.ts'
import { spread } from './pairs.ts'
import type { Row, Settings, Suite } from './report.ts'

/** A host that has run for a year. */
const AT_START = 5_000
const START_AT_MOST_S = 2
/** As many as people work in at a time; each is saved once a minute, so a sweep of all has to end within one. */
const SWEPT = 1_000
const SWEEP_AT_MOST_S = 60
/** A listing replaces a thousand questions: it must not be felt beside them. */
const LISTING_AT_MOST_S = 1
/** Each question takes a dozen milliseconds or more, so that some are enough to tell what a thousand take. */
const ASKED = 100
const ASKED_REALLY = 30
const FILE_BYTES = MIB

export const manyProjects: Suite = async (settings) => [
  ...(await started(settings)),
  ...(await sweptOnFake(settings)),
  ...(await sweptReally()),
]

async function started({ pairs }: Settings): Promise<Row[]> {
  const rows: Row[] = []
  await withFullPool(AT_START, async (fake, host) => {
    const first = await seconds(async () =>
      expectResidents((await reconcile(host)).residents.length, AT_START),
    )
    const { zfs, bytes } = await replaying(fake)
    const own: number[] = []
    for (let round = 0; round < pairs; round++)
      own.push(
        await seconds(async () => {
          expectResidents((await reconcile({ ...host, zfs })).residents.length, AT_START)
        }),
      )
    const between = spread(own)
    rows.push({
      name: `start with ${AT_START} projects`,
      value: between.median,
      unit: 's',
      spread: between,
      target: { atMost: START_AT_MOST_S },
      note: `one listing of ${(bytes / MIB).toFixed(1)} MiB; ${first.toFixed(1)} s where the fake makes it`,
    })
  })
  return rows
}

async function sweptOnFake({ pairs }: Settings): Promise<Row[]> {
  const rows: Row[] = []
  await withFullPool(SWEPT, async (fake, host, ids) => {
    await reconcile(host)
    const { zfs } = await replaying(fake)
    const listings: number[] = []
    for (let round = 0; round < pairs; round++)
      listings.push(
        await seconds(async () => {
          let unwritten = 0
          const user = [...OUR_PROPERTIES, POINT_PROPERTY]
          for await (const { writtenBytes } of listInBrief(zfs, host.parent, { user }))
            if (writtenBytes === 0n) unwritten++
          expectResidents(unwritten, SWEPT)
        }),
      )
    const between = spread(listings)
    rows.push({
      name: `anything new in ${SWEPT} projects, one listing`,
      value: between.median,
      unit: 's',
      spread: between,
      target: { atMost: LISTING_AT_MOST_S },
      note: 'where ZFS counts what was written',
    })
    await fake.calls()
    const row = await asked(host, ids.slice(0, ASKED), 'each asked, on the fake')
    const commands = (await fake.calls()).length / ASKED
    rows.push({ ...row, note: `${row.note}, ${commands.toFixed(1)} commands each` })
  })
  return rows
}

/** Projects of their own, mounted, with a file in each. */
async function sweptReally(): Promise<Row[]> {
  const zfs = await needs.zfs(new AbortController().signal)
  if ('missing' in zfs) throw new Error(`no ZFS: ${zfs.missing}`)
  const rows: Row[] = []
  try {
    await withPool(async (world) => {
      const host = await projectHost(world, memoryStore())
      const ids = Array.from({ length: ASKED_REALLY }, (_, index) => projectId(`p${index}`))
      for (const id of ids) {
        const { path } = await createProjectHere(host, id)
        await writeFile(join(path, 'file'), Buffer.alloc(FILE_BYTES, id))
        await save(host, id)
      }
      rows.push(await asked(host, ids, 'each asked, on the ZFS of this machine'))
      for (const id of ids) await unmount(host.zfs, projectDataset(host.parent, id))
    })
  } finally {
    await zfs.end()
  }
  return rows
}

/** Two at a time, as the daemon does it; what a thousand would take. */
async function asked(host: ProjectHost, ids: readonly ProjectId[], how: string): Promise<Row> {
  const took: number[] = []
  const left = [...ids]
  const ask = async (): Promise<void> => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const one = id
      took.push(
        await seconds(async () => {
          const { kind } = await save(host, one, { quick: true })
          if (kind !== 'unchanged') throw new Error('it was not changed, and yet was saved')
        }),
      )
    }
  }
  const all = await seconds(async () => void (await allOf([ask(), ask()])))
  const each = spread(took)
  return {
    name: `anything new in ${SWEPT} projects, ${how}`,
    value: (all / ids.length) * SWEPT,
    unit: 's',
    target: { atMost: SWEEP_AT_MOST_S },
    note: `${(each.median * 1000).toFixed(0)} ms a project (${(each.min * 1000).toFixed(0)}…${(each.max * 1000).toFixed(0)}), from ${ids.length} of them`,
  }
}

/**
 * A pool with so many resident projects, saved and unmounted. One is made by the engine; the others are copies of all that
 * the fake and the store know of it, because making each would take minutes.
 */
async function withFullPool(
  count: number,
  body: (fake: FakeZfs, host: ProjectHost, ids: readonly ProjectId[]) => Promise<void>,
): Promise<void> {
  await withFakeZfs(async (fake) => {
    const store = memoryStore()
    const host = await projectHost(fake, store)
    const ids = Array.from({ length: count }, (_, index) => projectId(`p${index}`))
    const [first = projectId('p0'), ...others] = ids
    const { path } = await createProjectHere(host, first)
    await writeFile(join(path, 'file'), 'one\n')
    await save(host, first)
    await unmount(host.zfs, projectDataset(host.parent, first))
    const project = store.state.projects.get(first)
    if (!project) throw new Error('it is not in the store')
    for (const id of others) store.state.projects.set(id, { ...project, id })
    await fake.state(({ datasets }) => {
      const dataset = datasets[projectDataset(host.parent, first)]
      if (!dataset) throw new Error('it is not in the pool')
      for (const id of others)
        datasets[projectDataset(host.parent, id)] = {
          ...dataset,
          props: { ...dataset.props, [ID_PROPERTY]: id },
        }
    })
    await body(fake, host, ids)
  })
}

/** A ZFS that prints once more what the fake answered last to `zfs get`, as quickly as `cat` can. */
async function replaying(fake: FakeZfs): Promise<{ zfs: Zfs; bytes: number }> {
  const { zfs, settings, directory } = fake
  const [line = ''] = (await fake.calls()).filter((call) => call.startsWith('zfs get ')).slice(-1)
  const args = line.split(' ').slice(1)
  const listing = await zfs.commands.read('zfs', args)
  const script = join(directory, 'replay')
  await writeFile(join(directory, 'listing'), listing)
  await writeFile(script, `#!/bin/sh\nexec cat '${join(directory, 'listing')}'\n`)
  await chmod(script, 0o755)
  return {
    zfs: { commands: new Commands({ ...settings, zfs: script }), capabilities: zfs.capabilities },
    bytes: Buffer.byteLength(listing),
  }
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return (performance.now() - startedMs) / 1000
}

function expectResidents(found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`${found} projects were found, not ${wanted}`)
}
