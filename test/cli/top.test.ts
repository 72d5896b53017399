import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lines } from '../../daemon/cli/verbs/top.ts'

const test = suite('top')

const one = (id: string, more: object = {}) => ({
  id,
  mounted: true,
  usedBytes: '5000',
  atRisk: false,
  unsavedMs: 3000,
  failedSaves: 0,
  doing: null,
  ...more,
})

test('what wants to be looked at stands first, within 80 columns', () => {
  const told = lines({
    status: {
      name: 'host',
      mayAct: true,
      resident: 4,
      mounted: 3,
      pool: { usedBytes: '1000', availableBytes: '1000' },
    },
    projects: [
      one('away', { mounted: false, unsavedMs: null }),
      one('fine'),
      one('x'.repeat(63), { atRisk: true, unsavedMs: 45_296_000, doing: { what: 'rollback', forMs: 100 } }),
      one('broken', { atRisk: true, failedSaves: 2 }),
    ],
    unsaved: { count: 2, oldestMs: 45_296_000, bytes: '4096' },
  })
  assert.match(told[1] ?? '', /^not saved yet: 2, 4\.\d+ KiB|^not saved yet: 2, 4 KiB/)
  assert.equal(
    told.slice(4).map((line) => line.slice(0, 3)),
    ['bro', 'xxx', 'fin', 'awa'],
  )
  assert.ok(
    told.every((line) => line.length <= 80),
    told.join('\n'),
  )
})

test.run()
