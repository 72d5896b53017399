/** Random transactions: conditions that hold and that don't, rows in right and wrong states, a few and hundreds. */
import {
  type Guid,
  guid,
  type HostId,
  hostId,
  type ProjectId,
  sessionId,
  writeId,
} from '../../pipeline/base/ids.ts'
import type { KeptReason, Life, Project, Statics, WriteRow, WriteState } from '../../pipeline/graph/state.ts'
import type { RowChange, StaticsCondition, Transaction } from '../../pipeline/graph/transaction.ts'
import { bytes, chance, int, pick, type Random, shuffled } from '../support/random.ts'
import { aManifest } from './values.ts'

const LIVES: readonly Life[] = ['live', 'destroyed', 'purging', 'purged']
const STATES: readonly WriteState[] = ['writing', 'committed', 'superseded', 'deleting', 'deleted', 'aborted']
const REASONS: readonly KeptReason[] = ['side', 'left-by-rollback', 'unreadable', 'pinned']
const WORDS = ['', 'plain', 'Größe', '世界', '🌊', '\u0000', '"\\', 'a=b\nc', ' x '] as const

export function randomTransaction(random: Random, id: ProjectId, now: Project | undefined): Transaction {
  const most = chance(random, 0.05) ? 300 : 4
  if (chance(random, now ? 0.1 : 0.7))
    return {
      project: id,
      what: 'a random creation',
      if: 'absent',
      set: randomStatics(random),
      rows: randomRows(random, now, most),
    }
  return {
    project: id,
    what: 'a random change',
    if: randomCondition(random, now?.statics),
    set: randomSet(random),
    rows: randomRows(random, now, most),
  }
}

/** Any of the three, any of none, each right more often than wrong. */
function randomCondition(random: Random, now: Statics | undefined): StaticsCondition {
  const right = () => now !== undefined && chance(random, 0.9)
  return {
    ...(chance(random, 0.6) ? { epoch: right() ? now!.epoch : randomNumber(random) } : {}),
    ...(chance(random, 0.5) ? { rev: right() ? now!.rev : randomNumber(random) } : {}),
    ...(chance(random, 0.4) ? { life: right() ? now!.life : pick(random, LIVES) } : {}),
  }
}

function randomSet(random: Random): Partial<Statics> {
  const whole = Object.entries(randomStatics(random))
  if (chance(random, 0.3)) return {}
  return Object.fromEntries(whole.filter(() => chance(random, 0.3)))
}

function randomStatics(random: Random): Statics {
  return {
    life: pick(random, LIVES),
    owner: maybe(random, () => randomHost(random)),
    epoch: randomNumber(random),
    rev: randomNumber(random),
    born: randomNumber(random),
    head: maybe(random, () => randomGuid(random)),
    kept: Object.fromEntries(times(random, 4).map(() => [randomGuid(random), pick(random, REASONS)])),
    quotaBytes: maybe(random, () => randomNumber(random)),
    properties: Object.fromEntries(
      times(random, 4).map((_, n) => [
        `x.example:p${n}`,
        times(random, 5)
          .map(() => pick(random, WORDS))
          .join(''),
      ]),
    ),
    uid: maybe(random, () => int(random, 0, 2 ** 32 - 2)),
    gid: maybe(random, () => int(random, 0, 2 ** 32 - 2)),
    lifeAtMs: randomTime(random),
  }
}

/** Each row at most once in a transaction: what a store would make of two changes of one row, nobody asks. */
function randomRows(random: Random, now: Project | undefined, most: number): RowChange[] {
  const known = shuffled(random, [...(now?.rows.values() ?? [])])
  const wrong = chance(random, 0.3) ? 1 / most : 0
  return times(random, most).map((): RowChange => {
    const row = chance(random, 0.5) ? known.pop() : undefined
    if (!row) {
      if (chance(random, wrong)) {
        // A row that nobody has.
        const id = randomRow(random).writeId
        return chance(random, 0.5)
          ? { kind: 'remove', writeId: id, if: pick(random, STATES) }
          : { kind: 'update', writeId: id, if: pick(random, STATES), set: { state: 'committed' } }
      }
      return { kind: 'insert', row: randomRow(random) }
    }
    if (chance(random, wrong)) return { kind: 'insert', row: { ...randomRow(random), writeId: row.writeId } }
    const state = chance(random, wrong) ? pick(random, STATES) : row.state
    if (chance(random, 0.3)) return { kind: 'remove', writeId: row.writeId, if: state }
    const { state: next, seqHigh, changedAtMs, committedAtMs, manifest } = randomRow(random)
    const set = Object.entries({ state: next, seqHigh, changedAtMs, committedAtMs, manifest })
    return {
      kind: 'update',
      writeId: row.writeId,
      if: state,
      set: Object.fromEntries(set.filter(() => chance(random, 0.4))),
    }
  })
}

function randomRow(random: Random): WriteRow {
  return {
    writeId: writeId(randomId(random)),
    from: maybe(random, () => randomGuid(random)),
    to: randomGuid(random),
    host: randomHost(random),
    session: sessionId(randomId(random)),
    side: chance(random, 0.5),
    state: pick(random, STATES),
    chunkBytes: int(random, 64 * 1024, 4 * 1024 * 1024),
    seqHigh: int(random, 0, 2 ** 31 - 1),
    begunAtMs: randomTime(random),
    changedAtMs: randomTime(random),
    committedAtMs: maybe(random, () => randomTime(random)),
    manifest: maybe(random, () =>
      aManifest({ bytes: randomNumber(random), chunkCount: int(random, 1, 1000) }),
    ),
  }
}

const maybe = <T>(random: Random, make: () => T): T | null => (chance(random, 0.3) ? null : make())
const times = (random: Random, most: number): undefined[] =>
  Array.from({ length: int(random, 0, most) }, () => undefined)
const randomTime = (random: Random): number => Date.UTC(2026, 0, 1) + int(random, 0, 2 ** 40)
const randomHost = (random: Random): HostId => hostId(randomId(random))
const randomGuid = (random: Random): Guid => guid(bytes(random, 8).readBigUInt64LE() || 1n)

/** From 0 to 2^63 - 1, small ones often. */
function randomNumber(random: Random): bigint {
  return chance(random, 0.5) ? BigInt(int(random, 0, 5)) : bytes(random, 8).readBigUInt64LE() >> 1n
}

function randomId(random: Random): string {
  const hex = bytes(random, 16).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
