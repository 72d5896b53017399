/** What `apply` and `applyHost` promise when many ask at once. */
import * as assert from 'uvu/assert'
import { OutcomeUnknownError } from '../../pipeline/base/errors.ts'
import { guid } from '../../pipeline/base/ids.ts'
import type { Promised } from './catalogue.ts'
import { aHost, aRow, aStatics, change, creation, newProjectId, same } from './values.ts'

const RACERS = 8

/** Who was told yes, and who was told nothing; more than a few of the latter would prove nothing. */
async function race(calls: readonly Promise<boolean>[]): Promise<{ won: number[]; unknown: number[] }> {
  const won: number[] = []
  const unknown: number[] = []
  for (const [n, result] of (await Promise.allSettled(calls)).entries()) {
    if (result.status === 'fulfilled') {
      if (result.value) won.push(n)
    } else if (result.reason instanceof OutcomeUnknownError) unknown.push(n)
    else throw result.reason
  }
  return { won, unknown }
}

const racers = Array.from({ length: RACERS }, (_, n) => n)

export function raceContract(promised: Promised): void {
  promised('of many transactions under one rev exactly one happens', async (catalogue) => {
    const id = newProjectId()
    await catalogue.apply(creation(id, aStatics()))
    for (let rev = 1n; rev < 6n; rev++) {
      const rows = racers.map(() => aRow({ state: 'committed' }))
      const { won, unknown } = await race(
        racers.map((n) =>
          catalogue.apply(
            change(id, { epoch: 1n, rev }, { rev: rev + 1n, head: guid(BigInt(n + 1)) }, [
              { kind: 'insert', row: rows[n]! },
            ]),
          ),
        ),
      )
      const project = await catalogue.read(id)
      const there = racers.filter((n) => project?.rows.has(rows[n]!.writeId))
      if (unknown.length === 0) assert.is(won.length, 1)
      if (there.length === 0) {
        // All of them lost their answers and none happened: nothing to see in this round.
        assert.is(unknown.length > 0 && won.length === 0, true)
        break
      }
      assert.is(there.length, 1, 'one row')
      assert.ok([...won, ...unknown].includes(there[0]!), 'whose writer was not told no')
      if (won.length > 0) same(won, there)
      assert.is(project?.statics.rev, rev + 1n)
      assert.is(
        project?.statics.head,
        guid(BigInt(there[0]! + 1)),
        'head and row are of the same transaction',
      )
    }
  })

  promised('of many who make a project exactly one does', async (catalogue) => {
    const id = newProjectId()
    const { won, unknown } = await race(
      racers.map((n) =>
        catalogue.apply(creation(id, aStatics({ uid: n }), [{ kind: 'insert', row: aRow({ seqHigh: n }) }])),
      ),
    )
    const project = await catalogue.read(id)
    if (unknown.length === 0) assert.is(won.length, 1)
    if (!project) return assert.is(won.length, 0)
    assert.ok([...won, ...unknown].includes(project.statics.uid!))
    same(
      [...project.rows.values()].map((row) => row.seqHigh),
      [project.statics.uid],
    )
  })

  promised('rows of many writers under one epoch do not hinder each other', async (catalogue) => {
    const id = newProjectId()
    await catalogue.apply(creation(id, aStatics()))
    const rows = racers.map(() => aRow())
    const { won, unknown } = await race(
      rows.map((row) =>
        catalogue.apply(change(id, { epoch: 1n, life: 'live' }, {}, [{ kind: 'insert', row }])),
      ),
    )
    assert.is(won.length + unknown.length, RACERS, 'nobody was told no')
    const project = await catalogue.read(id)
    for (const n of won) same(project?.rows.get(rows[n]!.writeId), rows[n])
  })

  promised('a row leaves its state once', async (catalogue) => {
    const id = newProjectId()
    const row = aRow()
    await catalogue.apply(creation(id, aStatics(), [{ kind: 'insert', row }]))
    const { won, unknown } = await race(
      racers.map((n) =>
        catalogue.apply(
          change(id, {}, {}, [
            {
              kind: 'update',
              writeId: row.writeId,
              if: 'writing',
              set: { state: n % 2 ? 'committed' : 'aborted', seqHigh: n },
            },
          ]),
        ),
      ),
    )
    if (unknown.length === 0) assert.is(won.length, 1)
    const now = (await catalogue.read(id))?.rows.get(row.writeId)
    if (now?.state === 'writing') return assert.is(won.length, 0)
    assert.ok([...won, ...unknown].includes(now!.seqHigh))
    assert.is(now?.state, now!.seqHigh % 2 ? 'committed' : 'aborted')
  })

  promised('of many who renew a host from one number exactly one does', async (catalogue) => {
    const host = aHost()
    await catalogue.applyHost({ what: 'registration', host: host.host, if: 'absent', set: host })
    const { won, unknown } = await race(
      racers.map((n) =>
        catalogue.applyHost({
          what: 'renewal',
          host: host.host,
          if: { renewSeq: 0n, state: 'live' },
          set: { renewSeq: 1n, name: `racer ${n}` },
        }),
      ),
    )
    if (unknown.length === 0) assert.is(won.length, 1)
    const now = await catalogue.readHost(host.host)
    if (now?.renewSeq === 0n) return assert.is(won.length, 0)
    assert.ok([...won, ...unknown].some((n) => now?.name === `racer ${n}`))
  })
}
