import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openLog } from '../../daemon/log/log.ts'
import { SweepLines } from '../../daemon/log/sweep-lines.ts'
import type { Sweep } from '../../daemon/projects/sweep.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'

const test = suite('lines of sweeps')

const A = projectId('a')
const B = projectId('b')
const NOTHING: Sweep = {
  atMs: 0,
  evicted: [],
  unmounted: [],
  refused: [],
  stay: new Map(),
  mounted: new Map(),
  shortOfBytes: 0n,
  tooMany: 0,
}

function kept() {
  const text: string[] = []
  const sweeps = new SweepLines(openLog({ level: 'info', write: (line) => text.push(line) }))
  return { sweeps, taken: () => text.splice(0).map((line) => JSON.parse(line)) }
}

test('one that did something is one line with the reasons; one that did nothing is none', () => {
  const { sweeps, taken } = kept()
  sweeps.swept(NOTHING)
  assert.equal(taken(), [])
  sweeps.swept({ ...NOTHING, evicted: [{ id: A, why: 'space' }], unmounted: [B], shortOfBytes: 5n })
  const [line, ...others] = taken()
  assert.equal(others, [])
  assert.is(line.event, 'sweep')
  assert.is(line.level, 'info')
  assert.equal(line.evicted, [{ id: 'a', why: 'space' }])
  assert.equal(line.unmounted, ['b'])
  assert.is(line.shortOfBytes, 5)
})

test('what should have left and did not is told once, with why, until that changes', () => {
  const { sweeps, taken } = kept()
  const busy = new TidepoolError('dataset-busy', 'somebody is in it')
  const stuck: Sweep = { ...NOTHING, refused: [{ id: A, why: 'number', error: busy }], tooMany: 1 }
  sweeps.swept(stuck)
  const [line] = taken()
  assert.is(line.level, 'warn')
  assert.equal(line.refused, [{ id: 'a', why: 'number', because: 'dataset-busy' }])
  sweeps.swept(stuck)
  assert.equal(taken(), [])
  sweeps.swept({ ...stuck, refused: [...stuck.refused, { id: B, why: 'idle', error: busy }] })
  assert.is(taken().length, 1)
  sweeps.swept(NOTHING)
  sweeps.swept(stuck)
  assert.is(taken().length, 1)
})

test('that the pool does not answer is told once, and again after it has', () => {
  const { sweeps, taken } = kept()
  const error = new TidepoolError('zfs-timeout', 'no answer')
  sweeps.failed(error)
  sweeps.failed(error)
  assert.equal(
    taken().map(({ event }) => event),
    ['sweep-failed'],
  )
  sweeps.swept(NOTHING)
  sweeps.failed(error)
  assert.is(taken().length, 1)
})

test('of very many only some are named', () => {
  const { sweeps, taken } = kept()
  const evicted = Array.from({ length: 5000 }, (_, n) => ({ id: projectId(`p${n}`), why: 'idle' as const }))
  sweeps.swept({ ...NOTHING, evicted })
  const [line] = taken()
  assert.match(line.msg, /^5000 left/)
  assert.ok(JSON.stringify(line).length < 4000)
})

test.run()
