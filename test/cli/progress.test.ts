import { Writable } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { humanDuration, Progress, progressLine } from '../../daemon/cli/progress.ts'
import { systemClock } from '../../pipeline/base/clock.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'

const test = suite('progress')
const MIB = 1024 * 1024
const limiter = { limit: 16, inFlight: 8, inFlightBytes: 8 * MIB, waiting: 0, maxBytes: 16 * MIB }

test('says how far, how fast, how long still, what is in flight and under which limit', () => {
  const state = { what: 'put p1', doneBytes: BigInt(256 * MIB), bytesPerSecond: 128 * MIB, limiter }
  assert.is(
    progressLine({ ...state, totalBytes: BigInt(1024 * MIB) }),
    'put p1  256 MiB of 1.0 GiB (25 %)  128 MiB/s  6 s left  8 in flight (8.0 MiB), limit 16',
  )
  assert.is(
    progressLine({ ...state, totalBytes: undefined }),
    'put p1  256 MiB  128 MiB/s  8 in flight (8.0 MiB), limit 16',
  )
})

test('a source that grew is never past its end', () => {
  const line = progressLine({ what: 'x', doneBytes: 20n, totalBytes: 10n, bytesPerSecond: 1, limiter })
  assert.match(line, /\(100 %\) {2}1 B\/s {2}8 in flight/)
})

test('durations for people', () => {
  assert.equal([400, 59_000, 200_000, 18_720_000].map(humanDuration), [
    '1 s',
    '59 s',
    '3 min 20 s',
    '5 h 12 min',
  ])
})

function screen(isTTY: boolean) {
  let text = ''
  const stderr = new Writable({
    write(piece, _encoding, done) {
      text += piece
      done()
    },
  })
  return { stderr: Object.assign(stderr, { isTTY, columns: 40 }), text: () => text }
}

test('draws on a terminal, no wider than that, and takes its line away at the end', () => {
  const { stderr, text } = screen(true)
  const options = { stderr, clock: systemClock, limiter: fixedLimiter({ count: 1, maxBytes: 1 }) }
  const progress = new Progress('put a-project-with-a-long-name', 100n, options)
  progress.end()
  assert.ok(text().startsWith('\r\u001b[Kput a-project'))
  assert.ok(text().endsWith('\r\u001b[K'))
  assert.ok((text().split('\u001b[K')[1] ?? '').replace('\r', '').length < 40)
})

test('writes nothing into a pipe', () => {
  const { stderr, text } = screen(false)
  const options = { stderr, clock: systemClock, limiter: fixedLimiter({ count: 1, maxBytes: 1 }) }
  new Progress('put p', 100n, options).end()
  assert.is(text(), '')
})

test.run()
