/**
 * What else keeps home directories, for comparison: whichever of restic, borg and rsync is installed, beside us and the bare
 * pipes. In each round all of them save the same tree of a dataset for the first time to the same disk, flushed, and restore
 * it into an empty dataset of the same pool, flushed too, and it is looked whether all of it came back.
 */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { close } from '../daemon/projects/close.ts'
import { createProjectHere } from '../daemon/projects/create.ts'
import type { ProjectHost } from '../daemon/projects/host.ts'
import { liveName } from '../daemon/projects/names.ts'
import { open } from '../daemon/projects/open.ts'
import { save } from '../daemon/projects/save.ts'
import { treeDigest } from '../native/tree/digest.ts'
import { create, destroyDataset, destroySnapshot, snapshot } from '../native/zfs/dataset.ts'
import { mount, unmount } from '../native/zfs/mount.ts'
import { childOf, snapshotOf } from '../native/zfs/names.ts'
import { type ProjectId, projectId } from '../pipeline/base/ids.ts'
import { shuffled } from '../test/support/random.ts'
import { run } from './child.ts'
import { writeMixed } from './mixed-files.ts'
import { type BenchWorld, drop, settle, timed, withBenchWorld } from './project-world.ts'
import { timesRow } from './projects.ts'
import type { Row, Settings, Suite } from './report.ts'

/** One of those compared, in one round: both are timed by itself, and leave what the other needs. */
interface Contender {
  readonly name: string
  /** Seconds. */
  save(): Promise<number>
  restore(): Promise<number>
}

interface Round {
  readonly host: ProjectHost
  readonly id: ProjectId
  /** Where the project is mounted; what is kept is in the folder `HOME` of it. */
  readonly path: string
  readonly scratch: string
  /** Rejects where what was restored is not what was saved. */
  compare(restored: string): Promise<void>
}

interface Program {
  readonly name: string
  /** `$1` is the directory to keep, `$2` a path for all that it keeps. */
  readonly save: string
  /** From `$2` into the empty directory `$1`. */
  readonly restore: string
}

const HOME = 'home'
const RAW = 'raw pipes'

const RESTIC = 'export RESTIC_PASSWORD=x RESTIC_REPOSITORY="$2/repository" RESTIC_CACHE_DIR="$2/cache"; '
const BORG = 'export BORG_BASE_DIR="$2/base" BORG_REPO="$2/repository"; '
const PROGRAMS: readonly Program[] = [
  { name: 'rsync', save: 'rsync -a "$1/" "$2/"', restore: 'rsync -a "$2/" "$1/"' },
  {
    name: 'restic',
    save: `${RESTIC} restic -q init && cd "$1" && restic -q backup .`,
    restore: `${RESTIC} restic -q restore latest --target "$1"`,
  },
  {
    name: 'borg',
    save: `${BORG} borg init -e none && cd "$1" && borg create ::first .`,
    restore: `${BORG} cd "$1" && borg extract ::first`,
  },
]

export const peers: Suite = async (settings) => {
  const rows: Row[] = []
  await withBenchWorld(settings, async (world) => {
    const times = new Map<string, { save: number[]; restore: number[] }>()
    for (let count = 0; count < settings.pairs; count++)
      for (const [name, { save, restore }] of await round(world, settings, projectId(`peers${count}`))) {
        const all = times.get(name) ?? { save: [], restore: [] }
        times.set(name, all)
        all.save.push(save)
        all.restore.push(restore)
      }
    const raw = times.get(RAW)
    for (const what of ['save', 'restore'] as const)
      for (const [name, all] of times) {
        const measured = all[what].map((ours, at) => ({ ours, raw: raw?.[what][at] ?? Number.NaN }))
        const title = what === 'save' ? `${name}: a first save` : `${name}: a restore of all`
        if (name !== RAW) rows.push(timesRow(title, YARDSTICKS[what], measured))
      }
  })
  return rows
}

const YARDSTICKS = { save: 'zfs send | cat > file; sync', restore: 'zfs receive < file' } as const

async function round(
  { host }: BenchWorld,
  { projectBytes, random, scratch, tell }: Settings,
  id: ProjectId,
): Promise<Map<string, { save: number; restore: number }>> {
  tell(`a round of all: ${id}`)
  const { path } = await createProjectHere(host, id)
  await mkdir(join(path, HOME))
  await writeMixed(join(path, HOME), projectBytes, random)
  const saved = (await treeDigest(join(path, HOME))).sha256
  const compare = async (restored: string): Promise<void> => {
    if ((await treeDigest(join(restored, HOME))).sha256 !== saved)
      throw new Error(`what was restored at ${restored} is not what was saved`)
  }
  const here: Round = { host, id, path, scratch, compare }
  const contenders = [
    rawPipes(here),
    tidepool(here),
    ...PROGRAMS.filter(installed).map((one) => peer(here, one)),
  ]
  const took = new Map(contenders.map(({ name }) => [name, { save: 0, restore: 0 }]))
  for (const what of ['save', 'restore'] as const)
    for (const one of shuffled(random, contenders)) {
      await settle(host.zfs, liveName(host.parent, id))
      Object.assign(took.get(one.name) ?? {}, { [what]: await one[what]() })
    }
  await close(host, id)
  await drop(host, id)
  for (const { name } of PROGRAMS) rmSync(join(scratch, name), { recursive: true, force: true })
  return took
}

const installed = ({ name }: Program): boolean => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0

function rawPipes({ host: { zfs, parent }, id, scratch }: Round): Contender {
  const file = join(scratch, 'raw')
  return {
    name: RAW,
    async save() {
      const made = await snapshot(zfs, snapshotOf(liveName(parent, id), 'raw'))
      const { seconds } = await run(['sh', '-c', 'zfs send "$1" | cat > "$2"; sync', 'sh', made.name, file])
      await destroySnapshot(zfs, made.name, made.guid)
      return seconds
    },
    async restore() {
      const target = childOf(parent, 'raw')
      const { seconds } = await run(['sh', '-c', 'zfs receive -u "$1" < "$2"', 'sh', target, file])
      await destroyDataset(zfs, target, { withSnapshots: true })
      rmSync(file)
      return seconds
    },
  }
}

function tidepool({ host, id, path, compare }: Round): Contender {
  return {
    name: 'tidepool',
    save: async () => (await timed(() => save(host, id))).seconds,
    async restore() {
      await close(host, id)
      await drop(host, id)
      const { seconds } = await timed(() => open(host, id))
      await compare(path)
      return seconds
    },
  }
}

function peer({ host: { zfs, parent }, path, scratch, compare }: Round, program: Program): Contender {
  const kept = join(scratch, program.name)
  return {
    name: program.name,
    async save() {
      await mkdir(kept)
      return (await run(['sh', '-c', `${program.save} && sync`, 'sh', path, kept])).seconds
    },
    async restore() {
      const target = childOf(parent, program.name)
      const mountpoint = join(scratch, 'restored', program.name)
      await create(zfs, target, { mountpoint })
      await mount(zfs, target)
      const restored = await timed(async () => {
        await run(['sh', '-c', `${program.restore} && sync`, 'sh', mountpoint, kept])
        // What a receive has brought is on the pool's disk when it ends.
        await snapshot(zfs, snapshotOf(target, 'restored'))
      })
      await compare(mountpoint)
      await unmount(zfs, target)
      await destroyDataset(zfs, target, { withSnapshots: true })
      return restored.seconds
    },
  }
}
