import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../pipeline/base/clock.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { adaptiveLimiter } from '../../pipeline/limit/limiter.ts'
import { rejection } from '../contracts/values.ts'
import { type DaemonSetting, refusingPuts, withDaemon } from '../support/daemon.ts'
import { within } from '../support/within.ts'

const test = suite('metrics')

const CALM = ['save: {interval: 1h}']
const LINE = /^([a-z_][a-z0-9_]*)(\{[^}]*\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$/
const UNITS =
  /_(seconds|bytes|total|info|projects|pieces|sum|count|bucket|act|up|waiting|success)$|^tidepool_(nodejs_|projects)|_fds$/

/** By name and labels; fails where a line is none of the format, or its metric has no type and help. */
function parsed(text: string): Map<string, number> {
  const values = new Map<string, number>()
  const described = new Set<string>()
  for (const line of text.split('\n')) {
    const about = /^# (HELP|TYPE) (\S+) /.exec(line)
    if (about) described.add(`${about[1]} ${about[2]}`)
    if (line === '' || line.startsWith('#')) continue
    const [, name = '', labels = '', value] = LINE.exec(line) ?? assert.unreachable(line) ?? []
    const family = name.replace(/_(bucket|sum|count)$/, '')
    assert.ok(described.has(`TYPE ${family}`) || described.has(`TYPE ${name}`), line)
    assert.ok(described.has(`HELP ${family}`) || described.has(`HELP ${name}`), line)
    assert.match(name, /^tidepool_/)
    assert.match(name, UNITS)
    assert.not(values.has(name + labels), `twice: ${line}`)
    values.set(name + labels, Number(value))
  }
  return values
}

const read = async ({ daemon }: Pick<DaemonSetting, 'daemon'>): Promise<Map<string, number>> =>
  parsed(await daemon.metrics.text(daemon))

/** Asks for what is done with projects. */
const posting =
  ({ client }: Pick<DaemonSetting, 'client'>) =>
  <T = { realPath: string }>(path: string, body?: unknown): Promise<T> =>
    client.call<T>('POST', `/v1/projects${path}`, { body })

test('they are in the format of Prometheus, count what was done, and name no project', () =>
  withDaemon(
    async (setting) => {
      const post = posting(setting)
      const { realPath } = await post('', { id: 'very-own-name' })
      await writeFile(join(realPath, 'file'), 'x'.repeat(5000))
      const before = await read(setting)
      assert.is(before.get('tidepool_unsaved_projects'), 1)
      assert.ok(Number(before.get('tidepool_unsaved_bytes')) > 0)
      assert.ok(Number(before.get('tidepool_unsaved_age_seconds')) > 0)
      assert.is(before.get('tidepool_evictions_total{reason="asked"}'), 0)
      await post('/very-own-name/save')
      await post('/very-own-name/save')
      await post('/very-own-name/evict')
      await post('/very-own-name/open')
      assert.is(codeOf(await rejection(post('/nobodys/save'), 'a save of nothing')), 'project-unknown')
      const text = await setting.daemon.metrics.text(setting.daemon)
      assert.not.match(text, /very-own-name|nobodys/)
      const now = parsed(text)
      assert.is(now.get('tidepool_unsaved_projects'), 0)
      assert.is(now.get('tidepool_unsaved_bytes'), 0)
      assert.is(now.get('tidepool_unsaved_age_seconds'), 0)
      assert.is(now.get('tidepool_projects{state="mounted"}'), 1)
      assert.is(now.get('tidepool_acts_total{act="save",result="head"}'), 1)
      assert.is(now.get('tidepool_acts_total{act="save",result="unchanged"}'), 1)
      assert.is(now.get('tidepool_acts_total{act="save",result="failed"}'), 1)
      assert.is(now.get('tidepool_act_seconds_count{act="save"}'), 3)
      assert.is(now.get('tidepool_evictions_total{reason="asked"}'), 1)
      assert.ok(Number(now.get('tidepool_saved_bytes_total')) > 5000)
      assert.is(now.get('tidepool_received_bytes_total'), now.get('tidepool_saved_bytes_total'))
      for (const phase of ['queue', 'plan', 'fetch', 'receive', 'mount']) {
        const series = `tidepool_open_phase_seconds_count{phase="${phase}"}`
        assert.equal([before.get(series), now.get(series)], [0, 1], phase)
        assert.ok(now.has(`tidepool_open_phase_seconds_bucket{le="0.3",phase="${phase}"}`), phase)
      }
      assert.is(now.get('tidepool_may_act'), 1)
    },
    { config: CALM },
  ))

test('each metric of ours stands in the page that tells of them', () =>
  withDaemon(async ({ daemon }) => {
    const page = await readFile(new URL('../../docs/watching.md', import.meta.url), 'utf8')
    const text = await daemon.metrics.text(daemon)
    const names = [...text.matchAll(/^# TYPE (tidepool_\S+) /gm)].map(([, name = '']) => name)
    const ours = names.filter((name) => !/^tidepool_(nodejs|process)_/.test(name))
    assert.ok(ours.length > 25, String(ours.length))
    const told = [...page.matchAll(/`(tidepool_\w+)/g)].map(([, name]) => name)
    assert.equal(
      ours.filter((name) => !told.includes(name)),
      [],
    )
    assert.equal(
      told.filter((name = '') => !names.includes(name) && !/_$/.test(name)),
      [],
    )
  }))

test('what left by itself is counted by its reason', () =>
  withDaemon(
    async (setting) => {
      const post = posting(setting)
      for (const id of ['a', 'b']) {
        await writeFile(join((await post('', { id })).realPath, 'file'), id)
        await post(`/${id}/close`)
      }
      await setting.daemon.engine.sweeper.sweep(new AbortController().signal)
      const now = await read(setting)
      assert.is(now.get('tidepool_evictions_total{reason="number"}'), 1)
      assert.is(now.get('tidepool_projects{state="unmounted"}'), 1)
    },
    { config: ['save: {interval: 1h}', 'evict: {afterCommit: 0s, grace: 0s, maxResident: 1}'] },
  ))

test('calls on the store that were tried again are counted by what they were', () => {
  return withDaemon(
    async (setting) => {
      const post = posting(setting)
      const { realPath } = await post('', { id: 'a' })
      await writeFile(join(realPath, 'file'), 'x'.repeat(5000))
      assert.is((await read(setting)).get('tidepool_store_retries_total{call="put"}'), 0)
      await post('/a/save')
      const now = await read(setting)
      assert.is(now.get('tidepool_store_retries_total{call="put"}'), 3)
      assert.is(now.get('tidepool_store_failures_total{call="put"}'), 3)
      assert.is(now.get('tidepool_store_retries_total{call="get"}'), 0)
    },
    {
      config: CALM,
      openStore: refusingPuts(3),
    },
  )
})

test('the limiter shows what is in flight, what waits, and what it bears', () => {
  const limiter = adaptiveLimiter({ clock: systemClock, maxBytes: 1000 })
  return withDaemon(
    async (setting) => {
      const first = await limiter.acquire(1000, { priority: 'save' })
      const next = limiter.acquire(500, { priority: 'save' })
      const busy = await read(setting)
      assert.is(busy.get('tidepool_limiter_pieces{state="in-flight"}'), 1)
      assert.is(busy.get('tidepool_limiter_pieces{state="waiting"}'), 1)
      assert.is(busy.get('tidepool_limiter_in_flight_bytes'), 1000)
      limiter.observe({ kind: 'put', elapsedMs: 1, outcome: 'overload' })
      first.release()
      ;(await next).release()
      const calm = await read(setting)
      assert.is(calm.get('tidepool_limiter_pieces{state="in-flight"}'), 0)
      assert.is(calm.get('tidepool_limiter_pieces{state="waiting"}'), 0)
      const limit = (of: Map<string, number>): number => Number(of.get('tidepool_limiter_limit_pieces'))
      assert.ok(limit(calm) < limit(busy))
    },
    { config: CALM, openStore: (store) => ({ store, limiter, close: async () => {} }) },
  )
})

test('an event loop that stood still is seen', () =>
  withDaemon(async (setting) => {
    const stalls = async (): Promise<number> => {
      const found = await read(setting)
      assert.not([...found.keys()].some((name) => name.includes('nodejs_eventloop_lag')))
      const atMost = (le: string) => Number(found.get(`tidepool_event_loop_lag_seconds_bucket{le="${le}"}`))
      return atMost('+Inf') - atMost('0.3')
    }
    const before = await stalls()
    // The timer is due within the first 250 ms.
    for (const end = performance.now() + 600; performance.now() < end; );
    await within(2000, async () => (await stalls()) > before, 'it is told')
  }))

test('the pool and the file systems are told, and one that does not answer leaves a gap and nothing else', () =>
  withDaemon(
    async (setting) => {
      const well = await read(setting)
      for (const part of ['pool', 'root', 'state'])
        assert.is(well.get(`tidepool_read_success{part="${part}"}`), 1, part)
      await posting(setting)('', { id: 'a' })
      assert.ok(Number(well.get('tidepool_pool_bytes{state="available"}')) > 0)
      for (const filesystem of ['root', 'state']) {
        const free = Number(well.get(`tidepool_filesystem_free_bytes{filesystem="${filesystem}"}`))
        const size = Number(well.get(`tidepool_filesystem_size_bytes{filesystem="${filesystem}"}`))
        assert.ok(free > 0 && free < size, filesystem)
      }
      await setting.fake.faults({
        match: '^zpool ',
        action: 'fail',
        stderr: 'pool I/O is currently suspended',
      })
      const ill = await read(setting)
      assert.is(ill.get('tidepool_read_success{part="pool"}'), 0)
      assert.is(ill.get('tidepool_read_success{part="root"}'), 1)
      assert.not(ill.has('tidepool_pool_bytes{state="used"}'))
      assert.not(ill.has('tidepool_unsaved_projects'))
      assert.is(ill.get('tidepool_may_act'), 1)
      assert.is(ill.get('tidepool_acts_total{act="create",result="done"}'), 1)
      await setting.fake.faults()
      assert.is((await read(setting)).get('tidepool_read_success{part="pool"}'), 1)
    },
    { config: CALM },
  ))

test.run()
