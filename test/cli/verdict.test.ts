/** What monitoring is told of a host, by what the daemon says. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Judged, verdictOf } from '../../daemon/cli/verdict.ts'
import { tidepool } from '../support/command.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('verdict')
const well: Judged = {
  mayAct: true,
  why: null,
  pool: { health: 'ONLINE', capacityPercent: 40 },
  unsaved: { oldestMs: 30_000 },
  failingSaves: [],
  leftUnsaved: [],
  auditLost: 0,
  diverged: [],
  asks: [],
  cannotReceive: [],
  readOnly: [],
  readOnlyFailed: null,
  stuck: [],
  beside: { renamed: [] },
}

const cases: readonly (readonly [Partial<Judged>, 0 | 1 | 2, RegExp])[] = [
  [{}, 0, /^$/],
  [{ mayAct: false, why: 'the store is silent' }, 2, /may not act: the store is silent/],
  [{ pool: { health: 'DEGRADED', capacityPercent: 40 } }, 1, /DEGRADED/],
  [{ pool: { health: 'SUSPENDED', capacityPercent: 40 } }, 2, /SUSPENDED/],
  [{ pool: { health: 'ONLINE', capacityPercent: 90 } }, 1, /90% full/],
  [{ pool: { health: 'ONLINE', capacityPercent: 97 } }, 2, /97% full/],
  [{ unsaved: { oldestMs: 5 * 60_000 } }, 1, /not been saved for 5 min/],
  [{ unsaved: { oldestMs: 16 * 60_000 } }, 2, /not been saved for 16 min/],
  [{ failingSaves: [{}, {}] }, 1, /2 cannot be saved/],
  [{ leftUnsaved: [{}] }, 1, /1 not saved when this host went down/],
  [{ diverged: [{}] }, 1, /1 were taken by other hosts/],
  [{ asks: [{}, {}] }, 1, /2 wait for a word about a silent host/],
  [{ cannotReceive: ['zstd', 'raw'] }, 1, /can't receive streams that use zstd, raw/],
  [{ readOnlyFailed: 'full' }, 1, /read-only, or writable again, is not: full/],
  [{ readOnly: [{}] }, 1, /1 are read-only/],
  [{ stuck: [{}] }, 1, /1 commands of ZFS cannot be ended/],
  [{ beside: { renamed: [{}] } }, 1, /1 have another name/],
  [{ auditLost: 3 }, 1, /3 entries of the audit log/],
  [{ failingSaves: [{}], mayAct: false, why: 'fenced' }, 2, /fenced.*1 cannot be saved/],
]

test('the worst reason decides, and all of them are told', () => {
  for (const [spoilt, exit, told] of cases) {
    const verdict = verdictOf({ ...well, ...spoilt })
    assert.is(verdict.exit, exit, JSON.stringify(spoilt))
    assert.match([...verdict.critical, ...verdict.warnings].join(', '), told)
  }
})

test('the command ends with it; what is not saved is on the first screen, and times are local with their offset', () =>
  withDaemon(async ({ client, socket, daemon }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'home1' } })
    const { code, stdout } = await tidepool(['--socket', socket, 'status'])
    assert.is(code, 0)
    assert.match(stdout.toString(), /^not saved yet +\S/m)
    assert.match(stdout.toString(), /^up +\S.* since [0-9-]{10} [0-9:]{8} [+-][0-9]{2}:[0-9]{2}$/m)
    const one = await tidepool(['--socket', socket, 'status', 'home1'])
    assert.match(one.stdout.toString(), /^saved up to +[0-9-]{10} [0-9:]{8} [+-][0-9]{2}:[0-9]{2}, .* ago$/m)
    const { json } = await tidepool(['--json', '--socket', socket, 'status'])
    assert.equal([json[0]?.exit, json[0]?.critical, json[0]?.warnings], [0, [], []])
    await daemon.stop()
    assert.is((await tidepool(['--socket', socket, 'status'])).code, 2, 'nobody answers')
  }))

test('a pool that has gone is critical too, and told', () =>
  withDaemon(async ({ socket, fake }) => {
    await fake.state((state) => {
      state.pools = {}
    })
    const { code, stderr } = await tidepool(['--socket', socket, 'status'])
    assert.is(code, 2, stderr)
    assert.match(stderr, /pool/)
  }))

test.run()
