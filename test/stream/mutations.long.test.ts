/**
 * 100,000 streams broken on purpose. Each is refused with a typed error or is what an independent walker, written
 * from the format alone, also takes for one whole stream; and however it is cut, the answer is the same.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ByteOrder } from '../../pipeline/stream/fletcher4.ts'
import { type StreamFacts, StreamParser } from '../../pipeline/stream/parser.ts'
import { chance, int, pick, type Random, bytes as randomBytes, runSeed, seeded } from '../support/random.ts'
import { Records, type StreamRecord, sealed } from '../support/stream-records.ts'
import { walk } from '../support/stream-walker.ts'

const mutations = suite('mutated streams')

const STREAMS = Math.ceil(100_000 * Number(process.env.TIDEPOOL_LONG ?? '0.1'))

interface Model {
  readonly order: ByteOrder
  /** Whether each record carries a checksum or only END. */
  readonly each: boolean
  readonly records: readonly StreamRecord[]
}

/** Small streams: plain, compressed with embedded blocks, raw and empty, each in both byte orders and both checksum styles. */
function models(): Model[] {
  const block = (length: number): Buffer => Buffer.alloc(length, 'the data of a block ')
  return (['little', 'big'] as const).flatMap((order) => {
    const made = new Records(order, order === 'little' ? 0x8000_0001_0000_0003n : 77n)
    const plain = [
      made.begin({ fromGuid: 5n, features: ['sa-spill'] }),
      made.freeObjects(0n, 7n),
      made.object(7n, 44),
      made.write({ object: 7n, payload: block(512) }),
      made.write({ object: 7n, offset: 512n, payload: block(1024) }),
      made.spill({ object: 7n, payload: block(512) }),
      made.free(7n, 1536n),
      made.end(),
    ]
    const packed = [
      made.begin({ features: ['compressed', 'lz4', 'embedded', 'large-blocks'] }),
      made.object(7n),
      made.write({ object: 7n, logical: 262_144n, compression: 15, payload: block(516) }),
      made.embedded({ object: 8n, payload: block(13) }),
      made.embedded({ object: 9n, payload: block(104) }),
      made.write({ object: 9n, payload: block(512) }),
      made.free(9n, 512n, 2n ** 40n),
      made.end(),
    ]
    const raw = [
      made.begin({ features: ['raw', 'compressed'], payload: block(68) }),
      made.objectRange(32n),
      made.object(33n, 44, true),
      made.write({ object: 33n, logical: 1024n, compression: 2, payload: block(512) }),
      made.spill({ object: 33n, logical: 1024n, compression: 15, payload: block(512) }),
      made.freeObjects(34n, 30n),
      made.end(),
    ]
    const none = [made.begin({ fromGuid: 9n }), made.end()]
    return [plain, packed, raw, none].flatMap((records) =>
      [true, false].map((each) => ({ order, each, records })),
    )
  })
}

const INTERESTING = [0n, 1n, 2n, 7n, 8n, 32n, 511n, 512n, 513n, 516n, 1024n, 131_072n, 131_080n, 2n ** 24n]
const HUGE = [2n ** 24n + 8n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 48n, 2n ** 63n, 2n ** 64n - 1n]
/** Where the fields are that say how long things are, to which snapshot they belong, and what they are. */
const FIELDS_AT = [0, 4, 8, 16, 24, 28, 32, 34, 36, 40, 48, 50, 52, 56, 96, 280]

/** Where `drr_versioninfo` has the features that mean something here. */
const FEATURE_BITS = [2, 3, 18, 21, 22, 23, 24, 26]

function copied(records: readonly StreamRecord[]): StreamRecord[] {
  return records.map(({ header, payload }) => ({
    header: Buffer.from(header),
    payload: Buffer.from(payload),
  }))
}

/** Each changes a list of records in place, where it can. */
function put(header: Buffer, at: number, value: bigint, width: number, order: ByteOrder): void {
  const bytes = Buffer.alloc(8)
  if (order === 'little') bytes.writeBigUInt64LE(value)
  else bytes.writeBigUInt64BE(value)
  bytes.copy(header, at, ...(order === 'little' ? ([0, width] as const) : ([8 - width, 8] as const)))
}

type Change = (random: Random, list: StreamRecord[], other: Model, order: ByteOrder) => void

const CHANGES: Readonly<Record<string, Change>> = {
  /** Of the kind of header and the features, in BEGIN. */
  kind(random, list, _other, order) {
    const header = (list[0] as StreamRecord).header
    const flip = (bit: number): void => {
      const at = order === 'little' ? 16 + (bit >> 3) : 23 - (bit >> 3)
      header[at] = (header[at] ?? 0) ^ (1 << (bit & 7))
    }
    if (chance(random, 0.6)) flip(pick(random, FEATURE_BITS))
    else for (const bit of pick(random, [[0], [1], [0, 1]])) flip(bit)
  },
  type(random, list, _other, order) {
    pick(random, list).header[order === 'little' ? 0 : 3] = int(random, 0, 11)
  },
  flip(random, list) {
    const { header, payload } = pick(random, list)
    const target = payload.length > 0 && chance(random, 0.3) ? payload : header
    const at = chance(random, 0.7)
      ? int(random, 0, Math.min(target.length, 104) - 1)
      : int(random, 0, target.length - 1)
    target[at] = (target[at] ?? 0) ^ (1 << int(random, 0, 7))
  },
  field(random, list, _other, order) {
    const value = pick(random, chance(random, 0.7) ? INTERESTING : HUGE)
    put(pick(random, list).header, pick(random, FIELDS_AT), value, pick(random, [1, 4, 8]), order)
  },
  /** With or without the field that says how long it is. */
  payload(random, list, _other, order) {
    const at = int(random, 0, list.length - 1)
    const { header, payload } = list[at] as StreamRecord
    const length = pick(random, [0, payload.length + 8, Math.max(0, payload.length - 4), 512, 513])
    list[at] = { header, payload: Buffer.concat([payload], length) }
    if (chance(random, 0.5)) put(header, pick(random, [16, 32, 40, 96]), BigInt(length), 8, order)
  },
  duplicate(random, list) {
    list.splice(int(random, 0, list.length), 0, ...copied([pick(random, list)]))
  },
  remove(random, list) {
    if (list.length > 1) list.splice(int(random, 0, list.length - 1), 1)
  },
  swap(random, list) {
    const [one, other] = [int(random, 0, list.length - 1), int(random, 0, list.length - 1)]
    const [first, second] = [list[one] as StreamRecord, list[other] as StreamRecord]
    list[one] = second
    list[other] = first
  },
  graft(random, list, other) {
    list.splice(int(random, 0, list.length), int(random, 0, 2), ...copied([pick(random, other.records)]))
  },
}

/** These work on the bytes, after the checksums were made right or left alone. */
const CUTS: Readonly<Record<string, (random: Random, bytes: Buffer, other: Buffer) => Buffer>> = {
  cut: (random, bytes) => bytes.subarray(0, int(random, 0, bytes.length)),
  append: (random, bytes) => Buffer.concat([bytes, randomBytes(random, int(random, 1, 700))]),
  concatenate: (_random, bytes, other) => Buffer.concat([bytes, other]),
  splice(random, bytes, other) {
    const [from, to] = [int(random, 0, bytes.length), int(random, 0, bytes.length)]
    const start = int(random, 0, other.length)
    const middle = other.subarray(start, start + int(random, 0, 400))
    return Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)])
  },
  behead: (random, bytes) => bytes.subarray(int(random, 1, bytes.length)),
}

type Verdict = StreamFacts | TidepoolError

function judge(bytes: Buffer, next: () => number): Verdict {
  const parser = new StreamParser()
  try {
    for (let at = 0; at < bytes.length; ) {
      const to = Math.min(bytes.length, at + next())
      parser.push(bytes.subarray(at, to))
      at = to
    }
    return parser.end()
  } catch (error) {
    if (error instanceof TidepoolError) return error
    throw error
  }
}

mutations(`${STREAMS} of them`, () => {
  const seed = runSeed('mutated streams')
  const all = models()
  const originals = all.map(({ order, each, records }) => sealed(order, records, each))
  for (const original of originals) assert.not.type(walk(original), 'string')
  const seen = new Map<string, number>()
  for (let turn = 0; turn < STREAMS; turn++) {
    const random = seeded(seed + turn)
    const model = pick(random, all)
    const other = int(random, 0, all.length - 1)
    const list = copied(model.records)
    // Otherwise they are those of the original, in headers that are changed and moved about.
    const fix = chance(random, 0.5)
    if (!fix) keepChecksums(list, originals[all.indexOf(model)] as Buffer)
    const done: string[] = []
    for (let changes = int(random, 0, 3); changes > 0; changes--) {
      const [name, change] = pick(random, Object.entries(CHANGES))
      change(random, list, all[other] as Model, model.order)
      done.push(name)
    }
    let bytes = fix
      ? sealed(model.order, list, model.each)
      : Buffer.concat(list.flatMap(({ header, payload }) => [header, payload]))
    if (chance(random, 0.3)) {
      const [name, change] = pick(random, Object.entries(CUTS))
      bytes = change(random, bytes, originals[other] as Buffer)
      done.push(name)
    }
    const about = `TIDEPOOL_SEED=${seed}, stream ${turn}: ${done.join(', ')}${fix ? ', checksums made right' : ''}`
    const verdict = judge(bytes, () => Number.MAX_SAFE_INTEGER)
    const inPieces = judge(bytes, () => int(random, 1, 500))
    const walked = walk(bytes)
    if (verdict instanceof TidepoolError) {
      assert.type(walked, 'string', `${about}: refused with ${verdict.message}`)
      assert.match(verdict.code, /^stream-/, about)
      const offset = BigInt(String(verdict.facts.offset))
      assert.ok(offset >= 0n && offset <= BigInt(bytes.length), about)
      assert.is(inPieces instanceof TidepoolError ? inPieces.message : 'accepted', verdict.message, about)
      seen.set(verdict.code, (seen.get(verdict.code) ?? 0) + 1)
    } else {
      if (typeof walked === 'string') throw new Error(`${about}: accepted, but ${walked}`)
      assert.is(verdict.bytes, BigInt(bytes.length), about)
      assert.is(verdict.toGuid, String(walked.toGuid), about)
      assert.is(verdict.fromGuid ?? '0', String(walked.fromGuid), about)
      assert.is(verdict.logicalBytes, walked.logicalBytes, about)
      const records = Object.values(verdict.records).reduce((sum, count) => sum + count, 0n)
      assert.is(records, BigInt(walked.records), about)
      assert.equal(inPieces, verdict, about)
      seen.set('accepted', (seen.get('accepted') ?? 0) + 1)
    }
  }
  // That each kind of refusal is met at all shows that the mutations reach it.
  for (const kind of [
    'accepted',
    'stream-truncated',
    'stream-concatenated',
    'stream-corrupt',
    'stream-malformed',
    'stream-not-zfs',
    'stream-compound',
    'stream-resumed',
    'stream-deduplicated',
    'stream-redacted',
  ])
    assert.ok((seen.get(kind) ?? 0) >= STREAMS / 1000, `${kind}: ${seen.get(kind)}`)
})

function keepChecksums(list: StreamRecord[], original: Buffer): void {
  let at = 0
  for (const { header, payload } of list) {
    original.copy(header, 0, at, at + header.length)
    at += header.length + payload.length
  }
}

mutations.run()
