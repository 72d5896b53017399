/**
 * `demo --streams`: two real streams go into a directory store and into a second one. A byte of the first is flipped: it is found,
 * and never given out as if it were right; then it is brought back from the second, and compared with what was put in.
 */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../pipeline/base/clock.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { KIB } from '../../pipeline/base/units.ts'
import { readProject } from '../../pipeline/graph/settle.ts'
import type { WriteRow } from '../../pipeline/graph/state.ts'
import { checkedExtent } from '../../pipeline/scrub/report.ts'
import { verifyWrite } from '../../pipeline/scrub/verify.ts'
import { writePaths } from '../../pipeline/stores/directory/layout.ts'
import { initStore, type OpenedStore, openStore } from '../../pipeline/stores/open.ts'
import { type CommittedExtent, download } from '../../pipeline/transfer/download.ts'
import { putStream } from '../../pipeline/transfer/put.ts'
import { withProject } from '../cli/session.ts'
import { type Fixture, fixtures } from './fixtures.ts'
import { insist, type Steps } from './steps.ts'

const PROJECT = projectId('demo')
/** The smallest there is: then even a short stream has several. */
const CHUNK_BYTES = 64 * KIB
/** In the middle of the third chunk. */
const FLIPPED_AT = 2 * CHUNK_BYTES + 4711

export async function playStreams(place: string, steps: Steps, signal: AbortSignal): Promise<void> {
  const both = await fixtures()
  const [full] = both
  const root = join(place, 'store')
  const [store, second] = [await opened(root, signal), await opened(join(place, 'second'), signal)]
  try {
    const row = await steps.step('put two real ZFS streams into a directory store', () =>
      putAll(store, both, signal),
    )
    const copy = await steps.step('put the same two into a second store', () => putAll(second, both, signal))
    const write = extentOf(row)
    await steps.step('read both again and compared every byte with what was put in', async () => {
      for (const { fixture, row: each } of await rowsOf(store, both, signal))
        insist(
          (await digest(store, extentOf(each), signal)) === fixture.sha256,
          `${fixture.name} came back changed`,
        )
    })
    await steps.step('flipped one bit in the middle of the first stream, on the disk', () =>
      flip(writePaths(root, write).stream),
    )
    const seq = await steps.step(
      (found) => `verify finds it: chunk ${found} of ${write.chunkCount} is damaged`,
      () => damagedChunk(store, row, signal),
    )
    await steps.step('to read it is refused: what is damaged is never given out as whole', async () => {
      const error = await digest(store, write, signal).then(
        () => undefined,
        (why: unknown) => why,
      )
      insist(codeOf(error) === 'write-damaged', `a damaged stream was read without a word (${error})`)
    })
    await steps.step('brought the chunk back from the second store, proved by its digest', () =>
      mend(store, write, second, extentOf(copy), seq, signal),
    )
    await steps.step('read it once more: it is what was put in, to the last bit', async () => {
      insist(
        (await verifyWrite(store.store, PROJECT, row, { signal })).outcome === 'whole',
        'it is not whole',
      )
      insist((await digest(store, write, signal)) === full.sha256, 'it is not what was put in')
    })
  } finally {
    await store.close()
    await second.close()
  }
}

async function opened(root: string, signal: AbortSignal): Promise<OpenedStore> {
  await initStore(`dir:${root}`, { signal })
  return openStore(`dir:${root}`, { signal })
}

/** Resolves with the row of the first. */
async function putAll(
  { store, limiter }: OpenedStore,
  streams: readonly Fixture[],
  signal: AbortSignal,
): Promise<WriteRow> {
  const options = { clock: systemClock, signal, onLeftOver: () => {} }
  const rows = await withProject(store.catalogue, PROJECT, options, async (session) => {
    const made: WriteRow[] = []
    for (const { bytes, name } of streams) {
      const source = async function* () {
        yield bytes
      }
      const common = { store, limiter, project: PROJECT, chunkBytes: CHUNK_BYTES }
      const { writeId, project } = await putStream(source, { ...session, ...common })
      const row = project.rows.get(writeId)
      insist(row?.state === 'committed', `${name} was not committed`)
      made.push(row)
    }
    return made
  })
  return rows[0] as WriteRow
}

async function rowsOf(
  { store }: OpenedStore,
  [full, step]: readonly [Fixture, Fixture],
  signal: AbortSignal,
): Promise<readonly { readonly fixture: Fixture; readonly row: WriteRow }[]> {
  const { rows } = await readProject(store.catalogue, PROJECT, { signal })
  return [...rows.values()].map((row) => ({ row, fixture: row.from === null ? full : step }))
}

function extentOf(row: WriteRow): CommittedExtent {
  const extent = checkedExtent(PROJECT as ProjectId, row)
  insist(typeof extent !== 'string' && row.manifest !== null, `the manifest cannot be used: ${extent}`)
  return { ...extent, rootDigest: row.manifest.rootDigest }
}

async function digest(
  { store, limiter }: OpenedStore,
  write: CommittedExtent,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of download(store.blobs, write, { limiter, priority: 'open', signal }))
    hash.update(piece)
  return hash.digest('hex')
}

async function flip(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    const byte = Buffer.alloc(1)
    await handle.read(byte, 0, 1, FLIPPED_AT)
    byte[0] = (byte[0] as number) ^ 1
    await handle.write(byte, 0, 1, FLIPPED_AT)
  } finally {
    await handle.close()
  }
}

async function damagedChunk({ store }: OpenedStore, row: WriteRow, signal: AbortSignal): Promise<number> {
  const { outcome, damaged } = await verifyWrite(store, PROJECT, row, { signal })
  const [seq] = damaged.named
  insist(outcome === 'damaged' && damaged.count === 1 && seq !== undefined, 'the damage was not found')
  return seq
}

/** The second store's is read whole, so that all of it is proved, and must be the same stream. */
async function mend(
  { store }: OpenedStore,
  write: CommittedExtent,
  second: OpenedStore,
  copy: CommittedExtent,
  seq: number,
  signal: AbortSignal,
): Promise<void> {
  await digest(second, copy, signal)
  insist(copy.rootDigest === write.rootDigest, 'the two stores hold different streams')
  const reader = await second.store.blobs.open(copy, { signal })
  try {
    await store.blobs.mend(write, seq, await reader.get(seq, { signal }), { signal })
  } finally {
    await reader.close()
  }
}
