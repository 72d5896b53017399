/** What a scrub does over every store: real streams put, left and damaged, found, cleaned, and read back. */
import { setTimeout as delay } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { guid, newWriteId, type WriteId } from '../../pipeline/base/ids.ts'
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import { destroyProject } from '../../pipeline/graph/transitions/life.ts'
import { supersedeWrites } from '../../pipeline/graph/transitions/removal.ts'
import { beginWrite } from '../../pipeline/graph/transitions/writes.ts'
import type { Finding, ScrubSummary } from '../../pipeline/scrub/findings.ts'
import { scrub } from '../../pipeline/scrub/scrub.ts'
import type { ScrubOptions } from '../../pipeline/scrub/settings.ts'
import { verifyWrite } from '../../pipeline/scrub/verify.ts'
import type { Store, WriteExtent } from '../../pipeline/stores/contract.ts'
import { digestOf } from '../../pipeline/transfer/digest.ts'
import { extentOf } from '../../pipeline/transfer/restore.ts'
import { bytes, runSeed, seeded } from '../support/random.ts'
import { streamBytes } from '../support/stream-generator.ts'
import { fetchBytes, KIB, putBytes, putSetting, type Setting } from '../support/transfer.ts'
import { newProjectId } from './values.ts'

export interface OpenScrubbed {
  /** Holds nothing but what the test puts there. */
  readonly store: Store
  readonly lose: (write: WriteExtent, seq: number) => Promise<void>
  readonly cleanup: () => Promise<void>
}

const CHUNK = 64 * KIB

export function scrubContract(name: string, open: () => Promise<OpenScrubbed>): void {
  const test = suite(`${name}: scrub`)
  const seed = runSeed(`${name}: scrub`)

  const check = (what: string, body: (opened: OpenScrubbed) => Promise<void>): void => {
    test(what, async () => {
      const opened = await open()
      try {
        await body(opened)
      } finally {
        await opened.cleanup()
      }
    })
  }

  check(
    'leaves exactly what is committed, whatever was begun, superseded, destroyed or lost',
    async ({ store }) => {
      const setting = await putSetting(store, newProjectId())
      const full = await streamBytes({ seed, bytes: 5 * CHUNK + 8, toGuid: 1n })
      const step = await streamBytes({ seed: seed + 1, bytes: 3 * CHUNK, fromGuid: 1n, toGuid: 2n })
      const kept = [await putBytes(setting, full), await putBytes(setting, step)]
      const twin = await putBytes(
        setting,
        await streamBytes({ seed: seed + 2, bytes: 9 * CHUNK, fromGuid: 1n, toGuid: 2n }),
      )
      await supersede(setting, twin.writeId)
      const left = await beginAndLeave(setting)
      const orphan = await putOrphan(setting)
      const other = await putSetting(store, newProjectId())
      await putBytes(other, full)
      await store.catalogue.apply(destroyProject(await projectOf(other), 0))

      const dry = await run(store)
      assert.equal(kindsOf(dry.findings), [
        'orphan none',
        'project-expired would-purge',
        'stale-write would-abort',
        'superseded-expired would-remove',
      ])
      assert.is((await storedWrites(store)).size, 6)

      await delay(5)
      const { summary } = await run(store, { apply: true })
      assert.ok(summary.complete)
      await delay(5)
      assert.equal((await run(store, { apply: true })).findings, [])
      assert.equal(await storedWrites(store), new Set(kept.map(({ writeId }) => writeId)))
      const { rows } = await projectOf(setting)
      assert.equal(
        [twin.writeId, left, orphan].map((id) => rows.get(id)?.state),
        ['deleted', 'deleted', undefined],
      )
      assert.is((await projectOf(other)).statics.life, 'purged')
      const [first, second] = kept
      assert.ok(first && second)
      assert.ok((await fetchBytes(setting, first.writeId)).equals(full))
      assert.ok((await fetchBytes(setting, second.writeId)).equals(step))
    },
  )

  check('names the chunks that are missing, at every depth that looks at chunks', async ({ store, lose }) => {
    const setting = await putSetting(store, newProjectId())
    const put = await putBytes(setting, await streamBytes({ seed, bytes: 7 * CHUNK }))
    const row = (await projectOf(setting)).rows.get(put.writeId) as WriteRow
    assert.is((await verifyWrite(store, setting.project, row)).outcome, 'whole')
    await lose(extentOf(setting.project, row), 4)
    for (const depth of ['present', 'deep'] as const) {
      const { findings, summary } = await run(store, { depth })
      assert.equal(kindsOf(findings), ['chunk-missing none'], depth)
      assert.equal(
        findings.flatMap((finding) => ('chunks' in finding ? finding.chunks : [])),
        [4],
      )
      assert.is(summary.damagedWrites, 1)
    }
  })

  check(
    'names the chunks whose bytes are not those that were stored, and tells them from a wrong root',
    async ({ store }) => {
      const setting = await putSetting(store, newProjectId())
      const put = await putBytes(setting, await streamBytes({ seed, bytes: 7 * CHUNK }))
      const row = (await projectOf(setting)).rows.get(put.writeId) as WriteRow
      const extent = extentOf(setting.project, row)
      const data = bytes(seeded(seed), CHUNK)
      await store.blobs.mend(extent, 2, { data, digest: digestOf(data) })
      assert.equal(kindsOf((await run(store)).findings), ['root-mismatch none'])
      await store.blobs.mend(extent, 3, { data, digest: digestOf(Buffer.from('other')) })
      const { findings } = await run(store)
      assert.equal(kindsOf(findings), ['chunk-damaged none'])
      assert.equal(
        findings.flatMap((finding) => ('chunks' in finding ? finding.chunks : [])),
        [3],
      )
    },
  )

  check('goes on where it was stopped', async ({ store }) => {
    const setting = await putSetting(store, newProjectId())
    for (let n = 0; n < 5; n++)
      await putBytes(
        setting,
        await streamBytes({
          seed: seed + n,
          bytes: CHUNK,
          fromGuid: n === 0 ? null : BigInt(n),
          toGuid: BigInt(n + 1),
        }),
      )
    const stop = new AbortController()
    let opened = 0
    const blobs: Store['blobs'] = {
      ...store.blobs,
      open: (...args) => {
        if (++opened === 3) stop.abort(new Error('stop'))
        return store.blobs.open(...args)
      },
    }
    const stopped = run({ ...store, blobs }, { signal: stop.signal })
    assert.is(await stopped.catch(({ message }: Error) => message), 'stop')
    const { summary } = await run(store)
    assert.ok(summary.resumed)
    assert.is(summary.checkedWrites, 3)
    assert.not((await run(store)).summary.resumed)
  })

  test.run()
}

/** No time has to pass, and nobody who is not looked at counts as alive. */
async function run(store: Store, options: Partial<ScrubOptions> = {}) {
  const findings: Finding[] = []
  const scrubbing = scrub(store, {
    depth: 'deep',
    staleAfterMs: 0,
    supersededGraceMs: 0,
    purgeAfterMs: 0,
    orphanAgeMs: 0,
    maxDeleteShare: 1,
    ...options,
  })
  for (;;) {
    const step = await scrubbing.next()
    if (step.done) return { findings, summary: step.value satisfies ScrubSummary }
    findings.push(step.value)
  }
}

const kindsOf = (findings: readonly Finding[]): string[] =>
  findings.map(({ kind, action }) => `${kind} ${action}`).sort()

async function projectOf({ store, project }: Setting): Promise<Project> {
  const found = await store.catalogue.read(project)
  assert.ok(found)
  return found
}

async function storedWrites(store: Store): Promise<Set<WriteId | null>> {
  const found = new Set<WriteId | null>()
  for await (const { writeId } of store.blobs.stored()) found.add(writeId)
  return found
}

async function supersede(setting: Setting, writeId: WriteId): Promise<void> {
  const project = await projectOf(setting)
  const row = project.rows.get(writeId)
  assert.ok(row && (await setting.store.catalogue.apply(supersedeWrites(project, [row], 0))))
}

/** As a process that was killed leaves it. */
async function beginAndLeave(setting: Setting): Promise<WriteId> {
  const { store, project: id, host, session } = setting
  const project = await projectOf(setting)
  const row: WriteRow = {
    writeId: newWriteId(),
    from: project.statics.head,
    to: guid(77n),
    host,
    session,
    side: false,
    state: 'writing',
    chunkBytes: CHUNK,
    seqHigh: 64,
    begunAtMs: 0,
    changedAtMs: 0,
    committedAtMs: null,
    manifest: null,
  }
  await store.catalogue.noteWriting(host, { project: id, row })
  assert.ok(await store.catalogue.apply(beginWrite(project, row)))
  await putChunks(setting, row.writeId)
  return row.writeId
}

async function putOrphan(setting: Setting): Promise<WriteId> {
  const writeId = newWriteId()
  await putChunks(setting, writeId)
  return writeId
}

async function putChunks({ store, project }: Setting, writeId: WriteId): Promise<void> {
  const writer = await store.blobs.create({ project, writeId, chunkBytes: CHUNK })
  const data = Buffer.alloc(CHUNK, writeId)
  for (const seq of [0, 1, 40]) await writer.put(seq, data, digestOf(data))
  await writer.close()
}
