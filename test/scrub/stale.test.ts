import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { beginWrite, raiseSeqHigh } from '../../pipeline/graph/transitions/writes.ts'
import { endHost, registerHost } from '../../pipeline/hosts/session.ts'
import { markDead } from '../../pipeline/hosts/take.ts'
import { anIdentity, World } from '../support/scrub-world.ts'

const test = suite('scrub: stale')

test('a host that ended: its write is aborted, its chunks go, its entry is forgotten', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const host = await world.newHost('put')
  const row = await world.begin(id, { to: 1, host })
  await endHost(world.store.catalogue, host)

  const dry = await world.scrub()
  assert.equal(dry.kinds, ['stale-write would-abort'])
  assert.is(world.stateOf(id, row), 'writing')
  assert.is(world.chunksOf(row), 3)

  const { kinds, summary } = await world.scrub({ apply: true })
  assert.equal(kinds, ['stale-write done'])
  assert.is(world.stateOf(id, row), 'deleted')
  assert.is(world.chunksOf(row), 0)
  assert.is(world.state.writing.get(host.host)?.size, 0)
  assert.is(summary.removals, 1)
  assert.ok(summary.complete)
  assert.equal((await world.scrub({ apply: true })).kinds, [])
})

test('at once too: marked dead, started anew, a process of this machine that is gone', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const dead = await world.newHost('dead')
  const anew = await world.newHost('anew')
  const gone = await world.newHost('gone', { bootId: 'here', pid: 1, startTicks: 1n })
  const rows = [
    await world.begin(id, { to: 1, host: dead }),
    await world.begin(id, { to: 2, host: anew }),
    await world.begin(id, { to: 3, host: gone }),
  ]
  const { catalogue } = world.store
  const deadRow = await catalogue.readHost(dead.host)
  if (deadRow) await markDead(catalogue, deadRow)
  await registerHost(catalogue, { ...anew, session: anIdentity('x').session })

  const { kinds } = await world.scrub({ apply: true })
  assert.equal(kinds, ['stale-write done', 'stale-write done', 'stale-write done'])
  for (const row of rows) assert.is(world.stateOf(id, row), 'deleted')
  assert.is(world.clock.monotonicMs(), 0, 'nobody had to be watched')
})

test('a host that stands still is watched for the whole time, one that renews itself for one interval', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const silent = await world.newHost('silent')
  const left = await world.begin(id, { to: 1, host: silent })
  const busy = await world.begin(id, { to: 2 })
  const stop = new AbortController()
  const alive = world.keepAlive(world.host, stop.signal)

  const { kinds, findings } = await world.scrub({ apply: true })
  stop.abort()
  await alive
  assert.equal([...kinds].sort(), ['host-watched none', 'host-watched none', 'stale-write done'])
  assert.match(
    findings.find(({ kind }) => kind === 'stale-write')?.message ?? '',
    'has not renewed itself for 300 s',
  )
  assert.is(world.stateOf(id, left), 'deleted')
  assert.is(world.stateOf(id, busy), 'writing')
  assert.is(world.chunksOf(busy), 3)
  assert.is(world.clock.monotonicMs(), 300_000)
})

test('where all that are watched live, it is over after their next renewal', async () => {
  const world = await World.make()
  await world.begin(await world.project('p'), { to: 1 })
  const stop = new AbortController()
  const alive = world.keepAlive(world.host, stop.signal)
  await world.scrub({ apply: true })
  stop.abort()
  await alive
  assert.ok(world.clock.monotonicMs() <= 20_000, String(world.clock.monotonicMs()))
})

test('a grace of 0 ends every write in progress without waiting', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const row = await world.begin(id, { to: 1 })
  assert.equal((await world.scrub({ apply: true, staleAfterMs: 0 })).kinds, ['stale-write done'])
  assert.is(world.stateOf(id, row), 'deleted')
  assert.is(world.clock.monotonicMs(), 0)
})

test('an entry whose intent never came: the late intent fails', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const host = await world.newHost('put')
  const row = world.aRow({ to: 1, host })
  const intent = beginWrite(world.read(id), row)
  await world.store.catalogue.noteWriting(host.host, { project: id, row })
  await endHost(world.store.catalogue, host)
  assert.equal((await world.scrub()).kinds, ['stale-write would-abort'])
  assert.equal((await world.scrub({ apply: true })).kinds, ['stale-write done'])
  assert.not(await world.store.catalogue.apply(intent))
  assert.is(world.stateOf(id, row), 'deleted')
})

test('chunks above the mark that the entry knew go too, and the mark can no longer be raised', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const host = await world.newHost('put')
  const row = await world.begin(id, { to: 1, host, chunks: 2 })
  await world.apply(raiseSeqHigh(world.read(id), row.writeId, 9))
  await world.putChunks(id, { ...row, seqHigh: 9 })
  await endHost(world.store.catalogue, host)
  await world.scrub({ apply: true })
  assert.is(world.chunksOf(row), 0)
  assert.not(await world.store.catalogue.apply(raiseSeqHigh(world.read(id), row.writeId, 20)))
})

test('a row that no list names is found by its project, also where its host never registered', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const host = await world.newHost('put')
  const unlisted = await world.begin(id, { to: 1, host })
  await world.store.catalogue.forgetWriting(host.host, unlisted.writeId)
  const stranger = await world.begin(id, { to: 2, host: anIdentity('stranger') })
  await endHost(world.store.catalogue, host)
  const { kinds } = await world.scrub({ apply: true })
  assert.equal(kinds, ['stale-write done', 'host-watched none', 'stale-write done'])
  assert.is(world.stateOf(id, unlisted), 'deleted')
  assert.is(world.stateOf(id, stranger), 'deleted')
  assert.is(world.clock.monotonicMs(), 300_000)
})

test('an entry left behind by a commit is forgotten, and its write stays', async () => {
  const world = await World.make()
  const id = await world.project('p')
  const host = await world.newHost('put')
  const row = await world.commit(id, { to: 1, host })
  await world.store.catalogue.noteWriting(host.host, { project: id, row: { ...row, state: 'writing' } })
  await endHost(world.store.catalogue, host)
  assert.equal((await world.scrub()).kinds, ['stale-entry would-forget'])
  assert.equal((await world.scrub({ apply: true })).kinds, ['stale-entry done'])
  assert.is(world.stateOf(id, row), 'committed')
  assert.is(world.chunksOf(row), 3)
  assert.is(world.state.writing.get(host.host)?.size, 0)
})

test.run()
