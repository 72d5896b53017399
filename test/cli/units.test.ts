import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDuration, parseShare, parseSize } from '../../daemon/cli/units.ts'

const test = suite('units')

test('sizes are powers of 1024, with or without iB', () => {
  const sizes: [text: string, bytes: bigint][] = [
    ['0', 0n],
    ['512', 512n],
    ['256K', 262_144n],
    ['1m', 1_048_576n],
    ['64KiB', 65_536n],
    ['2 GB', 2_147_483_648n],
    ['16777216T', 2n ** 64n],
  ]
  for (const [text, bytes] of sizes) assert.is(parseSize(text), bytes, text)
  for (const text of ['', 'K', '-1', '1.5M', '1X', '1e3', '0x10'])
    assert.throws(() => parseSize(text), /is not a size/)
})

test('durations have a unit', () => {
  const durations: [text: string, ms: number][] = [
    ['0s', 0],
    ['250ms', 250],
    ['90s', 90_000],
    ['5m', 300_000],
    ['5min', 300_000],
    ['1.5h', 5_400_000],
    ['30d', 2_592_000_000],
  ]
  for (const [text, ms] of durations) assert.is(parseDuration(text), ms, text)
  for (const text of ['', '5', 's', '-1s', '1w', '5 minutes'])
    assert.throws(() => parseDuration(text), /is not a duration/)
})

test('shares are percent, more than nothing and at most all', () => {
  assert.is(parseShare('5%'), 0.05)
  assert.is(parseShare('0.5 %'), 0.005)
  assert.is(parseShare('100%'), 1)
  for (const text of ['', '5', '0%', '101%', '-1%']) assert.throws(() => parseShare(text), /is not a share/)
})

test.run()
