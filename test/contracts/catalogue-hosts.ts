/** What the host rows promise. */
import * as assert from 'uvu/assert'
import { newHostId, newSessionId } from '../../pipeline/base/ids.ts'
import type { HostRow, HostTransaction } from '../../pipeline/hosts/state.ts'
import type { Promised } from './catalogue.ts'
import { aHost, all, listedAtLast, MOST_BYTES, same } from './values.ts'

const registration = (row: HostRow): HostTransaction => ({
  what: `registration of ${row.host}`,
  host: row.host,
  if: 'absent',
  set: row,
})

export function hostContract(promised: Promised): void {
  promised('a host that never registered reads as undefined', async (catalogue) => {
    assert.is(await catalogue.readHost(newHostId()), undefined)
  })

  promised('a host reads back as it registered', async (catalogue) => {
    for (const row of [aHost(), aHost({ process: null, state: 'ended', renewSeq: MOST_BYTES, name: '' })]) {
      assert.is(await catalogue.applyHost(registration(row)), true)
      same(await catalogue.readHost(row.host), row)
    }
  })

  promised('a host registers once', async (catalogue) => {
    const row = aHost()
    await catalogue.applyHost(registration(row))
    assert.is(await catalogue.applyHost(registration({ ...row, session: newSessionId() })), false)
    same(await catalogue.readHost(row.host), row)
  })

  promised('each condition on a host holds or stops the change', async (catalogue) => {
    const row = aHost({ renewSeq: 2n ** 53n + 1n })
    await catalogue.applyHost(registration(row))
    const right = { session: row.session, renewSeq: row.renewSeq, state: row.state }
    const wrong = { session: newSessionId(), renewSeq: 2n ** 53n, state: 'dead' as const }
    for (let which = 0; which < 8; which++) {
      const keys = (['session', 'renewSeq', 'state'] as const).filter((_, bit) => which & (1 << bit))
      const condition = Object.fromEntries(keys.map((key) => [key, right[key]]))
      const set = { changedAtMs: 1_000 + which }
      const base = { what: 'a change', host: row.host, set }
      for (const key of keys)
        assert.is(await catalogue.applyHost({ ...base, if: { ...condition, [key]: wrong[key] } }), false)
      assert.is(await catalogue.applyHost({ ...base, if: condition }), true, `${keys}`)
      assert.is(await catalogue.applyHost({ ...base, if: condition, set: {} }), true, 'nothing to set')
      same(await catalogue.readHost(row.host), { ...row, ...set })
    }
  })

  promised('a host that is not there is changed by nothing', async (catalogue) => {
    const host = newHostId()
    for (const condition of [{}, { state: 'live' as const }, { renewSeq: 0n }])
      for (const set of [{}, { state: 'dead' as const }])
        assert.is(await catalogue.applyHost({ what: 'a change', host, if: condition, set }), false)
    assert.is(await catalogue.readHost(host), undefined)
  })

  promised('every value of a host can be set, its process to none', async (catalogue) => {
    const row = aHost()
    await catalogue.applyHost(registration(row))
    const next = aHost({ host: row.host, state: 'dead', renewSeq: 1n, changedAtMs: 5, name: 'other' })
    const base = { what: 'a change', host: row.host, if: { session: row.session } } as const
    assert.is(await catalogue.applyHost({ ...base, set: { ...next, session: row.session } }), true)
    same(await catalogue.readHost(row.host), { ...next, session: row.session })
    assert.is(await catalogue.applyHost({ ...base, set: { process: null, session: next.session } }), true)
    same(await catalogue.readHost(row.host), { ...next, process: null })
  })

  promised('the list has each host once, as it is', async (catalogue) => {
    const rows = [aHost(), aHost({ process: null }), aHost({ state: 'ended' })]
    for (const row of rows) await catalogue.applyHost(registration(row))
    const ours = async () =>
      (await all(catalogue.hosts())).filter(({ host }) => rows.some((row) => row.host === host))
    const listed = await listedAtLast(ours, rows.length)
    assert.is(listed.length, rows.length)
    for (const row of rows)
      same(
        listed.find(({ host }) => host === row.host),
        row,
      )
  })
}
