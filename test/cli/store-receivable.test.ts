/** `store receivable`, over the in-memory store: what it shows, what it refuses, what it changes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type HostId, newHostId, newSessionId } from '../../pipeline/base/ids.ts'
import { noteReceives } from '../../pipeline/hosts/receives.ts'
import { endHost, registerHost } from '../../pipeline/hosts/session.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { tidepoolOver } from '../support/command.ts'
import { streamBytes } from '../support/stream-generator.ts'

const test = suite('store receivable')

/** Hosts by their names, each with what it said that it can receive; undefined: it said nothing. */
async function world(hosts: Readonly<Record<string, readonly string[] | undefined>> = {}) {
  const store = memoryStore()
  const { catalogue } = store
  const ids = new Map<string, HostId>()
  for (const [name, features] of Object.entries(hosts)) {
    const identity = { host: newHostId(), session: newSessionId(), name, process: null }
    ids.set(name, identity.host)
    await registerHost(catalogue, identity)
    if (features) await noteReceives(catalogue, identity.host, features)
    if (name === 'ended') await endHost(catalogue, identity)
  }
  const tidepool = tidepoolOver(store)
  const put = async (id: string, features: readonly string[]) =>
    tidepool(['stream', 'put', id], { stdin: await streamBytes({ seed: 1, bytes: 10_000, features }) })
  const allowed = async () => (await catalogue.info()).receivable
  return { tidepool, put, allowed, ids, catalogue }
}

test('without features it shows what is allowed and what each host that may open something can receive', async () => {
  const { tidepool, put, allowed, ids } = await world({ a: ['lz4', 'zstd'], b: undefined, ended: ['raw'] })
  await put('p', [])
  const { code, json } = await tidepool(['--json', 'store', 'receivable'])
  assert.is(code, 0)
  assert.equal(json[0], {
    before: null,
    after: null,
    applied: false,
    hosts: [
      { host: ids.get('a'), name: 'a', state: 'live', receives: ['lz4', 'zstd'], lacks: [] },
      { host: ids.get('b'), name: 'b', state: 'live', receives: null, lacks: [] },
    ],
    streams: { count: 0, features: [], projects: [] },
  })
  const text = (await tidepool(['store', 'receivable'])).stdout.toString()
  assert.match(text, /^receivable +any: no stream is refused/)
  assert.match(text, / a +live +lz4,zstd$/m)
  assert.match(text, / b +live +has not said$/m)
  assert.not.match(text, /nothing was changed/)
  assert.is(await allowed(), null)
})

test('a change is told and not done without --apply, and then refuses the next stream of others at once', async () => {
  const { tidepool, put, allowed } = await world({ a: ['lz4', 'embedded'] })
  const dry = await tidepool(['store', 'receivable', 'lz4, embedded'])
  assert.match(dry.stdout.toString(), /^would be +lz4, embedded$/m)
  assert.match(dry.stdout.toString(), /nothing was changed: --apply does it/)
  assert.is(await allowed(), null)
  const done = await tidepool(['store', 'receivable', 'lz4,embedded', '--apply'])
  assert.is(done.code, 0)
  assert.match(done.stdout.toString(), /^now +lz4, embedded$/m)
  assert.equal(await allowed(), ['lz4', 'embedded'])
  assert.is((await put('p', ['lz4'])).code, 0)
  const refused = await put('q', ['zstd'])
  assert.is(refused.code, 1)
  assert.match(refused.stderr, /the stream uses zstd.*tidepool store receivable/s)
  await tidepool(['store', 'receivable', 'any', '--apply'])
  assert.is(await allowed(), null)
  assert.is((await put('q', ['zstd'])).code, 0)
})

test('a feature that a living host cannot receive is not let in, but by force; who has not said is not asked', async () => {
  const { tidepool, allowed, ids } = await world({ new: ['lz4', 'zstd'], old: ['lz4'], silent: undefined })
  await tidepool(['store', 'receivable', 'lz4', '--apply'])
  const dry = await tidepool(['store', 'receivable', 'lz4,zstd'])
  assert.is(dry.code, 0)
  assert.match(
    dry.stdout.toString(),
    new RegExp(`host old \\(${ids.get('old')}\\) can't receive zstd; --apply is refused`),
  )
  const refused = await tidepool(['--json', 'store', 'receivable', 'lz4,zstd', '--apply'])
  assert.is(refused.code, 1)
  assert.match(refused.stderr, /"code":"hosts-cannot-receive"/)
  assert.equal(await allowed(), ['lz4'])
  assert.is((await tidepool(['store', 'receivable', 'lz4,zstd', '--apply', '--force'])).code, 0)
  assert.equal(await allowed(), ['lz4', 'zstd'])
  // What it lacks already is no reason to keep another one out.
  assert.is((await tidepool(['store', 'receivable', 'zstd', '--apply'])).code, 0)
})

test('what stored streams use is not taken away, but by force; the projects are named and stay', async () => {
  const { tidepool, put, allowed, catalogue } = await world()
  for (const id of ['p', 'q']) await put(id, ['lz4', 'zstd'])
  await put('r', ['lz4'])
  const refused = await tidepool(['--json', 'store', 'receivable', 'lz4', '--apply'])
  assert.is(refused.code, 1)
  assert.match(refused.stderr, /"code":"streams-not-receivable".*2 stored streams of p, q use zstd/)
  assert.is(await allowed(), null)
  const forced = await tidepool(['--json', 'store', 'receivable', 'none', '--apply', '--force'])
  assert.equal(forced.json[0]?.streams, { count: 3, features: ['lz4', 'zstd'], projects: ['p', 'q', 'r'] })
  assert.equal(await allowed(), [])
  let projects = 0
  for await (const { head } of catalogue.projects()) if (head !== null) projects++
  assert.is(projects, 3)
})

test('a name that no feature has is a mistake, here and when the store is made', async () => {
  const { tidepool, allowed } = await world()
  for (const args of [
    ['store', 'receivable', 'lz4,lz5', '--apply'],
    ['--store', 'dir:/nowhere', 'store', 'init', '--receivable', 'lz5'],
  ]) {
    const { code, stderr } = await tidepool(args)
    assert.ok(code !== 0)
    assert.match(stderr, /no stream feature is called "lz5"/)
    assert.match(stderr, /There are .*sa-spill/)
  }
  assert.is(await allowed(), null)
})

test.run()
