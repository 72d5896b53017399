import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OpenRate } from '../../daemon/projects/open-rate.ts'
import { tidepool } from '../support/command.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('where to open a project')
const MIB = 2n ** 20n

test('the time of an open is told by the last ones, and one that was slow says nothing', () => {
  const rate = new OpenRate()
  const before = rate.predictMs({ streams: 1, bytes: 1000n * MIB })
  assert.ok(before > 9000 && before < 12_000, String(before))
  for (let times = 0; times < 5; times++) {
    rate.note({ streams: 0, bytes: 0n }, 50)
    rate.note({ streams: 1, bytes: 1000n * MIB }, 2050)
  }
  rate.note({ streams: 1, bytes: 1000n * MIB }, 900_000)
  assert.is(rate.predictMs({ streams: 0, bytes: 0n }), 50)
  assert.is(rate.predictMs({ streams: 1, bytes: 1000n * MIB }), 2050)
  assert.ok(rate.predictMs({ streams: 6, bytes: 1000n * MIB }) > 2050)
})

test('whoever has it is named; once it is nobody’s, this host with what it would receive', () =>
  withDaemon(async ({ client, daemon, socket }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'p1' } })
    await client.call('POST', '/v1/projects/p1/save')
    const place = () =>
      client.call<{ host: string; why: string; here: { streams: number; bytes: string } }>(
        'GET',
        '/v1/projects/p1/place',
      )
    const owned = await place()
    assert.is(owned.host, daemon.engine.host.host)
    assert.is(owned.why, 'owns it')
    assert.is(owned.here.streams, 0)
    await client.call('POST', '/v1/projects/p1/evict')
    const free = await place()
    assert.is(free.why, 'nobody has it')
    assert.is(free.here.streams, 1)
    assert.ok(BigInt(free.here.bytes) > 0n)
    const { code, stdout } = await tidepool(['--socket', socket, 'place', 'p1'])
    assert.is(code, 0)
    assert.match(stdout.toString(), /nobody has it/)
  }))

test.run()
