import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { rejection } from '../contracts/values.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('metrics')

const LINE = /^([a-z_][a-z0-9_]*)(\{[^}]*\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$/
const UNITS =
  /_(seconds|bytes|total|info|projects|pieces|sum|count|bucket|act)$|^tidepool_(nodejs_|projects)|_fds$/

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

test('they are in the format of Prometheus, count what was done, and name no project', () =>
  withDaemon(
    async ({ client, daemon }) => {
      const post = <T = { realPath: string }>(path: string, body?: unknown): Promise<T> =>
        client.call<T>('POST', `/v1/projects${path}`, { body })
      const { realPath } = await post('', { id: 'very-own-name' })
      await writeFile(join(realPath, 'file'), 'x'.repeat(5000))
      const before = parsed(await daemon.metrics.text())
      assert.is(before.get('tidepool_unsaved_projects'), 1)
      assert.ok(Number(before.get('tidepool_unsaved_bytes')) > 0)
      await post('/very-own-name/save')
      await post('/very-own-name/evict')
      await post('/very-own-name/open')
      assert.is(codeOf(await rejection(post('/nobodys/save'), 'a save of nothing')), 'not-resident')
      const text = await daemon.metrics.text()
      assert.not.match(text, /very-own-name|nobodys/)
      const now = parsed(text)
      assert.is(now.get('tidepool_unsaved_projects'), 0)
      assert.is(now.get('tidepool_projects{state="mounted"}'), 1)
      assert.is(now.get('tidepool_acts_total{act="save",result="head"}'), 1)
      assert.is(now.get('tidepool_acts_total{act="save",result="failed"}'), 1)
      assert.is(now.get('tidepool_evictions_total{reason="asked"}'), 1)
      assert.ok(Number(now.get('tidepool_saved_bytes_total')) > 5000)
      assert.is(now.get('tidepool_received_bytes_total'), now.get('tidepool_saved_bytes_total'))
      for (const phase of ['queue', 'plan', 'fetch', 'receive', 'mount'])
        assert.is(now.get(`tidepool_open_phase_seconds_count{phase="${phase}"}`), 1, phase)
      assert.is(now.get('tidepool_may_act'), 1)
      assert.ok(Number(now.get('tidepool_pool_bytes{state="available"}')) > 0)
      assert.ok(Number(now.get('tidepool_filesystem_free_bytes{filesystem="root"}')) > 0)
      assert.ok(now.has('tidepool_nodejs_eventloop_lag_p99_seconds'))
    },
    { config: ['save: {interval: 1h}'] },
  ))

test.run()
