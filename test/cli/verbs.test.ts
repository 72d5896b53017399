/** What the verbs print and how they end, over the in-memory store; `put` and `get` have files of their own. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { guid, projectId, type WriteId } from '../../pipeline/base/ids.ts'
import { superfluousWrites } from '../../pipeline/graph/needed.ts'
import { acknowledgePoints } from '../../pipeline/graph/transitions/points.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { tidepoolOver } from '../support/command.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { streamBytes } from '../support/stream-generator.ts'

const test = suite('verbs')
const at = (minute: number) => Date.UTC(2026, 0, 1, 0, minute)
const P = projectId('p')

type Json = readonly Record<string, unknown>[]
const summaryOf = (json: Json) => (json.at(-1)?.summary ?? {}) as Record<string, unknown>
const kindsOf = (json: Json) => json.map(({ finding }) => ((finding ?? {}) as { kind?: string }).kind)

/** A head behind two steps, a side point, and a second way to the head over which the first became superfluous. */
async function world() {
  const store = memoryStore()
  const tidepool = tidepoolOver(store)
  const put = async (options: Parameters<typeof streamBytes>[0]): Promise<WriteId> => {
    const { json, stderr } = await tidepool(['--json', 'stream', 'put', 'p'], {
      stdin: await streamBytes(options),
    })
    assert.is(stderr, '')
    return json[0]?.writeId as WriteId
  }
  const full = await put({ seed: 1, bytes: 300_000, toGuid: 11n, name: 'tank/p@a', createdAtMs: at(1) })
  const step = await put({
    seed: 2,
    bytes: 2_000_000,
    fromGuid: 11n,
    toGuid: 22n,
    name: 'tank/p@b',
    createdAtMs: at(2),
  })
  const side = await put({ seed: 3, bytes: 90_000, toGuid: 33n, name: 'tank/p@x', createdAtMs: at(3) })
  const parallel = await put({
    seed: 4,
    bytes: 80_000,
    fromGuid: 11n,
    toGuid: 22n,
    name: 'tank/p@b',
    createdAtMs: at(2),
  })
  return { store, tidepool, full, step, side, parallel }
}

test('stream ls: the projects, then the writes of one, oldest first', async () => {
  const { tidepool, full, step, side, parallel } = await world()
  assert.equal((await tidepool(['stream', 'ls', '--json'])).json, [
    { project: 'p', state: 'live', head: '22', owner: null },
  ])
  assert.is(
    (await tidepool(['stream', 'ls'])).stdout.toString(),
    'PROJECT  STATE  HEAD  OWNER\np        live   22    -\n',
  )
  const { json } = await tidepool(['stream', 'ls', 'p', '--json'])
  assert.equal(
    json.map(({ writeId, state, isHead }) => [writeId, state, isHead]).sort(),
    [
      [full, 'committed', false],
      [step, 'superseded', false],
      [side, 'committed', false],
      [parallel, 'committed', true],
    ].sort(),
  )
  const lines = (await tidepool(['stream', 'ls', 'p'])).stdout.toString().split('\n')
  assert.match(lines[0] ?? '', /^WRITE +STATE +FROM +TO +SNAPSHOT +BEGUN +SIZE$/)
  assert.is(lines.length, 6)
  assert.match(lines.find((line) => line.startsWith(parallel)) ?? '', /11 +22 +tank\/p@b .* 78.1 KiB +head$/)
})

test('stream ls: what has ended is shown if it is asked for, and an empty store says that it is', async () => {
  const { tidepool, step } = await world()
  await tidepool(['stream', 'rm', step])
  const ids = async (...more: string[]) =>
    (await tidepool(['stream', 'ls', 'p', '--json', ...more])).json.map(({ writeId }) => writeId)
  assert.not.ok((await ids()).includes(step))
  assert.ok((await ids('--all')).includes(step))
  const empty = tidepoolOver()
  assert.is((await empty(['stream', 'ls'])).stdout.toString(), 'no projects\n')
  assert.is((await empty(['stream', 'ls', '--json'])).stdout.toString(), '')
  const unknown = await empty(['stream', 'ls', 'q'])
  assert.is(unknown.code, 1)
  assert.match(unknown.stderr, /there is no project q in this store/)
})

test('stream show: everything of one write', async () => {
  const { tidepool, full, step } = await world()
  const { json } = await tidepool(['stream', 'show', full, '--json'])
  assert.equal(
    { ...json[0], host: 0, session: 0, begunAt: 0, changedAt: 0, committedAt: 0, rootDigest: 0 },
    {
      writeId: full,
      project: 'p',
      state: 'committed',
      from: null,
      to: '11',
      isHead: false,
      side: false,
      host: 0,
      begunAt: 0,
      changedAt: 0,
      committedAt: 0,
      chunkBytes: 1_048_576,
      snapshot: 'tank/p@a',
      snapshotAt: '2026-01-01T00:01:00.000Z',
      bytes: '300000',
      logicalBytes: json[0]?.logicalBytes,
      chunkCount: 1,
      rootDigest: 0,
      features: [],
      needed: true,
      byteOrder: 'little',
      records: json[0]?.records,
      codec: 'none',
      usage: null,
      treeDigest: null,
      session: 0,
      seqHigh: 64,
    },
  )
  const people = (await tidepool(['stream', 'show', `p/${step}`])).stdout.toString()
  assert.match(people, /^state +superseded$/m)
  assert.match(people, /^size +1.9 MiB \(2000000 bytes\)$/m)
})

test('stream graph: points under each other, with their streams, their reasons and what is needed', async () => {
  const { tidepool, full, side, parallel } = await world()
  const text = (await tidepool(['stream', 'graph', 'p'])).stdout
    .toString()
    .replace(/[0-9-]{10} [0-9:]{8} [+-][0-9:]{5}/g, 'T')
  assert.is(
    text,
    [
      'p: live, head 22',
      '',
      '●  33  T  tank/p@x  (side)',
      `     * ${side}  full  87.9 KiB`,
      '◆  22  T  tank/p@b  (head)',
      `│    * ${parallel}  from 11  78.1 KiB`,
      '●  11  T  tank/p@a  (latest)',
      `     * ${full}  full  293 KiB`,
      '',
    ].join('\n'),
  )
  const { json } = await tidepool(['stream', 'graph', 'p', '--json'])
  assert.equal(Object.keys(json[0] ?? {}), [
    'project',
    'state',
    'owner',
    'epoch',
    'rev',
    'head',
    'points',
    'edges',
  ])
  assert.is(((json[0]?.points ?? []) as unknown[]).length, 3)
})

test('stream graph: a hundred points in a row are two hundred lines in one lane', async () => {
  const tidepool = tidepoolOver()
  for (let point = 1; point <= 100; point++) {
    const stdin = await streamBytes({
      seed: point,
      bytes: 624,
      fromGuid: point === 1 ? null : BigInt(point - 1),
      toGuid: BigInt(point),
      createdAtMs: at(point),
    })
    const { code, stderr } = await tidepool(['stream', 'put', 'p'], { stdin })
    assert.is(code, 0, stderr)
  }
  const lines = (await tidepool(['stream', 'graph', 'p'])).stdout.toString().trimEnd().split('\n')
  assert.is(lines.length, 2 + 200)
  assert.ok(lines.slice(2).every((line) => /^[◆●○│] {2}|^ {5}\* /.test(line)))
})

test('stream rm: refused while it is needed, with who needs it', async () => {
  const { tidepool, store, full } = await world()
  const { code, stderr } = await tidepool(['stream', 'rm', full])
  assert.is(code, 1)
  assert.match(stderr, /is needed: it leads to 22 \(head\), 11 \(latest\)\n/)
  assert.ok(store.state.blobs.has(full))
})

test('stream rm: a dry run says what would go, or why it would not, and changes nothing', async () => {
  const { tidepool, store, full, step } = await world()
  const { code, stdout } = await tidepool(['stream', 'rm', '--dry-run', step])
  assert.is(code, 0)
  assert.match(stdout.toString(), /^would remove write .* of p \(superseded, 1.9 MiB\)\n$/)
  assert.ok(store.state.blobs.has(step))
  assert.is(store.state.projects.get(P)?.rows.get(step)?.state, 'superseded')
  const refused = await tidepool(['stream', 'rm', '--dry-run', full])
  assert.is(refused.code, 1)
  assert.match(refused.stderr, /is needed/)
  const { json } = await tidepool(['--json', 'stream', 'rm', '--dry-run', step])
  assert.is(json[0]?.removed, false)
})

test('stream rm: takes away what is superseded, and says so again when it is gone', async () => {
  const { tidepool, store, step } = await world()
  const { code, stdout } = await tidepool(['stream', 'rm', step.slice(0, 12)])
  assert.is(code, 0)
  assert.match(stdout.toString(), /^removed write .* of p \(superseded, 1.9 MiB\)\n$/)
  assert.not.ok(store.state.blobs.has(step))
  assert.is(store.state.projects.get(P)?.rows.get(step)?.state, 'deleted')
  assert.match((await tidepool(['stream', 'rm', step])).stdout.toString(), /had gone already/)
})

test('stream rm: takes a committed write that nothing needs, in two transactions', async () => {
  const { tidepool, store, step } = await world()
  const project = store.state.projects.get(P)
  const row = project?.rows.get(step)
  if (!project || !row) throw new Error('no row')
  const rows = new Map(project.rows).set(step, { ...row, state: 'committed' })
  store.state.projects.set(P, { ...project, rows })
  assert.equal(
    superfluousWrites({ ...project, rows }).map(({ writeId }) => writeId),
    [step],
  )
  assert.is((await tidepool(['stream', 'rm', step])).code, 0)
  assert.is(store.state.projects.get(P)?.rows.get(step)?.state, 'deleted')
})

test('stream rm: what is being written stays', async () => {
  const { tidepool, store, step } = await world()
  const project = store.state.projects.get(P)
  const row = project?.rows.get(step)
  if (!project || !row) throw new Error('no row')
  store.state.projects.set(P, {
    ...project,
    rows: new Map(project.rows).set(step, { ...row, state: 'writing' }),
  })
  const { code, stderr } = await tidepool(['stream', 'rm', step])
  assert.is(code, 1)
  assert.match(stderr, /is still being written/)
})

test('stream verify: whole, a sample of it, damaged', async () => {
  const { tidepool, store, full } = await world()
  assert.match(
    (await tidepool(['stream', 'verify', '--all'])).stdout.toString(),
    /^3 writes, 3 chunks, .*: all whole\n$/,
  )
  const { json } = await tidepool([
    'stream',
    'verify',
    '--project',
    'p',
    '--sample',
    '50%',
    '--seed',
    's',
    '--json',
  ])
  assert.is(json.length, 4)
  assert.equal(summaryOf(json).seed, 's')
  store.state.blobs.get(full)?.chunks.get(0)?.data.fill(1, 100, 200)
  const damaged = await tidepool(['stream', 'verify', '--write', full])
  assert.is(damaged.code, 4)
  assert.match(damaged.stdout.toString(), /of write .* of p/)
  assert.match(damaged.stdout.toString(), /1 damaged\n$/)
})

test('stream verify: has to be told what', async () => {
  const { tidepool, full, step } = await world()
  for (const argv of [[], ['--all', '--write', full], ['--all', '--sample', '0%']])
    assert.is((await tidepool(['stream', 'verify', ...argv])).code, 2)
  const superseded = await tidepool(['stream', 'verify', '--write', step])
  assert.is(superseded.code, 1)
  assert.match(superseded.stderr, /is superseded\n {2}Only committed writes promise their bytes/)
})

test('scrub: says what it would do, does it when told, and stops where that is too much', async () => {
  const { tidepool, store, step } = await world()
  const stale = ['scrub', '--keep-superseded', '0s']
  const dry = await tidepool([...stale, '--max-delete', '100%'])
  assert.is(dry.code, 0, dry.stderr)
  assert.match(dry.stdout.toString(), /^superseded-expired: .* \[would remove\]\n/)
  assert.match(dry.stdout.toString(), /nothing was changed: --delete does what it says\n$/)
  const brake = await tidepool([...stale, '--delete', '--json'])
  assert.is(brake.code, 3)
  assert.ok(kindsOf(brake.json).includes('stopped-for-safety'))
  assert.ok(store.state.blobs.has(step))
  const done = await tidepool([...stale, '--delete', '--max-delete', '100%'])
  assert.is(done.code, 0, done.stdout.toString())
  assert.match(done.stdout.toString(), /removed 1 write, 1.9 MiB\n$/)
  assert.not.ok(store.state.blobs.has(step))
})

test('scrub: with the configuration of a daemon it keeps what that keeps', async () => {
  const { tidepool, store, side } = await world()
  const project = await store.catalogue.read(P)
  assert.ok(project)
  await store.catalogue.apply(acknowledgePoints(project, [guid(33n)]))
  const { path, remove } = await temporaryDirectory()
  try {
    const config = join(path, 'tidepool.yaml')
    const found = async (latest: number) => {
      const keep = `{latest: ${latest}, hourly: 0, daily: 0, weekly: 0, monthly: 0}`
      await writeFile(config, `store: dir:${path}/store\ndataset: tank/projects\nkeep: ${keep}\n`)
      const { json } = await tidepool(['scrub', '--json', '--config', config])
      return json.flatMap(({ finding }) => finding ?? []) as { kind: string; writeId?: string }[]
    }
    assert.equal(
      (await found(1)).filter(({ kind }) => kind === 'superfluous-write'),
      [],
    )
    assert.equal(
      (await found(0)).map(({ kind, writeId }) => [kind, writeId]),
      [['superfluous-write', side]],
    )
  } finally {
    await remove()
  }
})

test('scrub: damage is told with exit code 4, in one object a line for machines', async () => {
  const { tidepool, store, full } = await world()
  store.state.blobs.get(full)?.chunks.delete(0)
  const { code, json } = await tidepool(['scrub', '--depth', 'present', '--json'])
  assert.is(code, 4)
  assert.ok(kindsOf(json).includes('chunk-missing'))
  assert.is(summaryOf(json).damagedWrites, 1)
  assert.is((await tidepool(['scrub', '--depth', 'whole'])).code, 2)
})

test('store info: what it is and who speaks to it', async () => {
  const { tidepool } = await world()
  const { json } = await tidepool(['store', 'info', '--json'])
  assert.equal(
    { ...json[0], createdAt: 0, storeTime: 0 },
    {
      kind: 'memory',
      url: 'memory:',
      format: 1,
      createdAt: 0,
      storeTime: 0,
      receivable: null,
      defaultChunkBytes: 1_048_576,
      hosts: [],
      endedHosts: json[0]?.endedHosts,
    },
  )
  assert.match((await tidepool(['store', 'info'])).stdout.toString(), /^hosts +0, and [1-4] that ended$/m)
})

test.run()
