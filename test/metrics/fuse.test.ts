import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Counts } from '../../daemon/access/figures.ts'
import { FuseMetrics } from '../../daemon/metrics/fuse.ts'
import { Maker } from '../../daemon/metrics/make.ts'

const test = suite('metrics of the access process')

function made() {
  const make = new Maker()
  const metrics = new FuseMetrics(make)
  const value = async (name: string): Promise<number | undefined> => {
    const text = await make.registry.metrics()
    const line = text.split('\n').find((one) => one.startsWith(`tidepool_fuse_${name} `))
    return line === undefined ? undefined : Number(line.split(' ').at(-1))
  }
  return { metrics, value }
}

test('its answers and errors are counted by kind, and who waits is told', async () => {
  const { metrics, value } = made()
  assert.is(await value('up'), 0)
  const counts = new Counts()
  counts.answered('getattr')
  counts.answered('readlink')
  counts.answered('readlink', 'ENOENT')
  metrics.note(counts.figures(3))
  assert.is(await value('up'), 1)
  assert.is(await value('callers_waiting'), 3)
  assert.is(await value('answers_total{operation="getattr"}'), 1)
  assert.is(await value('answers_total{operation="readlink"}'), 2)
  assert.is(await value('errors_total{errno="ENOENT"}'), 1)
  assert.is(await value('errors_total{errno="EIO"}'), 0)
  counts.answered('readlink', 'EIO')
  metrics.note(counts.figures(0))
  metrics.note(counts.figures(0))
  assert.is(await value('answers_total{operation="readlink"}'), 3)
  assert.is(await value('errors_total{errno="EIO"}'), 1)
  assert.is(await value('callers_waiting'), 0)
  assert.is(await value('restarts_total'), 0)
})

test('another process counts as a restart, and what it counts is added; while none is there, nobody is said to wait', async () => {
  const { metrics, value } = made()
  const first = new Counts()
  first.answered('readlink')
  metrics.note(first.figures(2))
  metrics.note(undefined)
  assert.is(await value('up'), 0)
  assert.is(await value('callers_waiting'), undefined)
  // The same one again: only the connection was lost.
  metrics.note(first.figures(2))
  assert.is(await value('restarts_total'), 0)
  metrics.note(undefined)
  const second = new Counts()
  second.answered('readlink')
  metrics.note(second.figures(0))
  assert.is(await value('restarts_total'), 1)
  assert.is(await value('answers_total{operation="readlink"}'), 2)
})

test.run()
