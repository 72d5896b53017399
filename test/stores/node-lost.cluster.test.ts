/** A node that is lost while a stream is being stored: what needs it fails and says so, what does not goes on. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { scrub } from '../../pipeline/scrub/scrub.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { putStream } from '../../pipeline/transfer/put.ts'
import { all, newProjectId, rejection } from '../contracts/values.ts'
import {
  type ClusterStores,
  clusterStores,
  killNode,
  patient,
  pauseNode,
  resumeNode,
  startNodes,
} from '../support/cluster.ts'
import { runSeed } from '../support/random.ts'
import { streamBytes } from '../support/stream-generator.ts'
import { fetchBytes, inPieces, KIB, putBytes, putSetting } from '../support/transfer.ts'

const test = suite('cassandra: a node is lost')
const seed = runSeed('cassandra: a node is lost')
const STREAM_BYTES = 6 * 1024 * KIB
/** How long an operation is repeated here, where the commands take minutes. */
const DEADLINE_MS = 8_000
/** One operation's repeats, one last answer that does not come, and the clean-up and look after a failure. */
const FAILS_WITHIN_MS = DEADLINE_MS + 8_000 + 2 * 20_000

let shared: Promise<ClusterStores> | undefined
const open = (): Promise<ClusterStores> => {
  shared ??= clusterStores()
  return shared
}

/** The stream; when half of it was taken, something happens first. */
async function* interrupted(stream: Buffer, happens: () => Promise<void>): AsyncGenerator<Buffer> {
  let taken = 0
  let done = false
  for await (const piece of inPieces(stream)) {
    if (!done && taken >= stream.length / 2) {
      done = true
      await happens()
    }
    yield piece
    taken += piece.length
  }
}

async function scrubAll(store: Store): Promise<string[]> {
  const options = {
    depth: 'deep',
    apply: true,
    staleAfterMs: 0,
    supersededGraceMs: 0,
    orphanAgeMs: 0,
    maxDeleteShare: 1,
  } as const
  return (await all(scrub(store, options))).map(({ kind, action }) => `${kind} ${action}`).sort()
}

// Because dc2 may be cut off for hours: a quorum of dc1 is enough for what is at home there, chunks and commits.
test('a put goes on while one of three replicas, the one in dc2, is silent, and dc2 has it all afterwards', async () => {
  const { home, away } = await open()
  const setting = await putSetting(patient(home, DEADLINE_MS), newProjectId())
  const stream = await streamBytes({ seed, bytes: STREAM_BYTES })
  try {
    const put = await putStream(() => interrupted(stream, () => pauseNode(3)), setting)
    assert.ok((await fetchBytes(setting, put.writeId)).equals(stream), 'while it is silent')
    await resumeNode(3)
    const far = { ...setting, store: patient(away, 60_000) }
    assert.ok((await fetchBytes(far, put.writeId)).equals(stream), 'through dc2, when it is back')
  } finally {
    await resumeNode(3)
  }
})

// Because a quorum of two copies is both: the put must end in time with an error that invites a repeat, and the
// rest of it must be cleaned up once the node is back.
test('a put fails in time, uncommitted, when a node that its quorum needs is killed in its middle', async () => {
  const { home } = await open()
  const setting = await putSetting(patient(home, DEADLINE_MS), newProjectId())
  const first = await streamBytes({ seed, bytes: 5 * 64 * KIB, toGuid: 1n })
  const kept = await putBytes(setting, first)
  const stream = await streamBytes({ seed: seed + 1, bytes: STREAM_BYTES, fromGuid: 1n, toGuid: 2n })
  let beganMs = 0
  let error: unknown
  try {
    const kill = async (): Promise<void> => {
      await killNode(2)
      beganMs = performance.now()
    }
    error = await rejection(
      putStream(() => interrupted(stream, kill), setting),
      'a put without a quorum',
    )
    const tookMs = performance.now() - beganMs
    assert.instance(error, TidepoolError, String(error))
    const { code, temporary, hint, message } = error as TidepoolError
    assert.ok(temporary, `${code}: ${message}`)
    assert.is(code, 'store-unavailable')
    assert.ok(hint)
    assert.ok(tookMs < FAILS_WITHIN_MS, `it took ${tookMs} ms`)
  } finally {
    await startNodes()
  }
  const back = patient(home, 60_000)
  const rows = [...((await back.catalogue.read(setting.project))?.rows.values() ?? [])]
  const states = rows.filter(({ writeId }) => writeId !== kept.writeId).map(({ state }) => state)
  assert.is(states.length, 1)
  assert.not(states.includes('committed'))

  await scrubAll(back)
  assert.equal(await scrubAll(back), [], 'nothing is left to do')
  for await (const { writeId, project } of back.blobs.stored())
    if (project === setting.project) assert.is(writeId, kept.writeId, 'nothing else is stored')
  assert.ok((await fetchBytes({ ...setting, store: back }, kept.writeId)).equals(first))
  const again = await putBytes({ ...setting, store: back }, stream)
  assert.ok((await fetchBytes({ ...setting, store: back }, again.writeId)).equals(stream))
})

test('the stores close', async () => {
  await (await open()).cleanup()
})
test.run()
