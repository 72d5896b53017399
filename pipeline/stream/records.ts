/** The records of a send stream: where their fields are, how long their payload is, what a receiver would refuse. */

export const HEADER_BYTES = 312
/** All record types but BEGIN may carry the running checksum of everything before it in their last 32 bytes. */
export const CHECKSUM_AT = 280

export const RECORD_TYPE = {
  BEGIN: 0,
  OBJECT: 1,
  FREEOBJECTS: 2,
  WRITE: 3,
  FREE: 4,
  END: 5,
  WRITE_BYREF: 6,
  SPILL: 7,
  WRITE_EMBEDDED: 8,
  OBJECT_RANGE: 9,
  REDACT: 10,
} as const

export type RecordName = keyof typeof RECORD_TYPE

const MIN_BLOCK_BYTES = 512
/** The largest block without the feature large-blocks, and the largest of all. */
const OLD_MAX_BLOCK_BYTES = 128 * 1024
const MAX_BLOCK_BYTES = 16 * 1024 * 1024
/** What fits into the place of a block pointer. */
const MAX_EMBEDDED_BYTES = 112
const SLOT_BYTES = 512
const SLOT_FIXED_BYTES = 192
const MAX_SLOTS = 32
const OBJECTS_PER_RANGE = 32
const MAX_OBJECT = 2 ** 48
const U32 = 2 ** 32

/** A cursor over one header. Nothing is copied and 64-bit fields are read without a bigint: this runs for every record. */
export class Header {
  #view: DataView = new DataView(new ArrayBuffer(HEADER_BYTES))
  #at = 0
  little = true

  point(view: DataView, at: number): void {
    this.#view = view
    this.#at = at
  }

  u8(offset: number): number {
    return this.#view.getUint8(this.#at + offset)
  }

  u32(offset: number): number {
    return this.#view.getUint32(this.#at + offset, this.little)
  }

  /** The upper half of the 64-bit field at `offset`. */
  high(offset: number): number {
    return this.u32(this.little ? offset + 4 : offset)
  }

  low(offset: number): number {
    return this.u32(this.little ? offset : offset + 4)
  }

  /** Exact below 2^53 and never in the wrong order above, which is all that limits need. */
  rounded(offset: number): number {
    return this.high(offset) * U32 + this.low(offset)
  }

  u64(offset: number): bigint {
    return (BigInt(this.high(offset)) << 32n) | BigInt(this.low(offset))
  }

  /** Whether two 64-bit fields add up to more than 64 bits hold. */
  overflows(one: number, other: number): boolean {
    const carry = this.low(one) + this.low(other) >= U32 ? 1 : 0
    return this.high(one) + this.high(other) + carry >= U32
  }

  isZero(from: number, to: number): boolean {
    for (let at = from; at < to; at += 4) if (this.u32(at) !== 0) return false
    return true
  }
}

/** What BEGIN says that bears on the records after it. */
export interface StreamKind {
  readonly raw: boolean
  readonly largeBlocks: boolean
  readonly embedded: boolean
  readonly compressed: boolean
}

export interface RecordRule {
  readonly name: RecordName
  readonly toGuidAt: number
  /** Bytes of payload after the header, or why no receiver would take this record. */
  payloadBytes(header: Header, stream: StreamKind): number | string
  /** Bytes of a file or volume, uncompressed, that it brings. */
  logicalBytes(header: Header): number
}

const nothing = (): number => 0
const roundUp8 = (value: number): number => Math.ceil(value / 8) * 8

function badObject(header: Header): string | undefined {
  const object = header.rounded(8)
  return object === 0 || object >= MAX_OBJECT ? `object number ${header.u64(8)} does not exist` : undefined
}

/** The rules of a block's two lengths, which WRITE and SPILL share; it is stored as it is where they are the same. */
function badBlock(logical: number, stored: number): string | undefined {
  if (logical < MIN_BLOCK_BYTES || logical > MAX_BLOCK_BYTES) return `no block has ${logical} bytes`
  if (stored === 0 || stored > logical) return `a block of ${logical} bytes cannot be stored in ${stored}`
  return undefined
}

const object: RecordRule = {
  name: 'OBJECT',
  toGuidAt: 40,
  payloadBytes(header, stream) {
    const [bonus, rawBonus, slots] = [header.u32(28), header.u32(36), header.u8(34) || 1]
    const capacity = slots * SLOT_BYTES - SLOT_FIXED_BYTES
    if (slots > MAX_SLOTS) return `no object takes ${slots} slots`
    if (bonus > capacity || rawBonus > capacity)
      return `${Math.max(bonus, rawBonus)} bytes of bonus do not fit into ${slots} slots`
    if (stream.raw ? rawBonus < bonus : rawBonus !== 0)
      return `${rawBonus} raw bytes do not go with a bonus of ${bonus}`
    return badObject(header) ?? (rawBonus || roundUp8(bonus))
  },
  logicalBytes: nothing,
}

const freeObjects: RecordRule = {
  name: 'FREEOBJECTS',
  toGuidAt: 24,
  payloadBytes: (header) => (header.overflows(8, 16) ? 'the range of objects ends past 2^64' : 0),
  logicalBytes: nothing,
}

const write: RecordRule = {
  name: 'WRITE',
  toGuidAt: 40,
  payloadBytes(header, stream) {
    const [logical, stored, compression] = [header.rounded(32), header.rounded(96), header.u8(50)]
    // A raw block names its compression even where that is "off"; only 0 means that there is none to name.
    if (compression === 0 && (stream.raw || stored !== 0))
      return `${stored} stored bytes do not go with no compression`
    if (compression !== 0 && !stream.raw && !stream.compressed)
      return 'a compressed block needs the feature compressed, which BEGIN does not name'
    if (logical > OLD_MAX_BLOCK_BYTES && !stream.largeBlocks)
      return `a block of ${logical} bytes needs the feature large-blocks, which BEGIN does not name`
    if (header.overflows(24, 32)) return 'the block ends past 2^64'
    const payload = compression === 0 ? logical : stored
    return badObject(header) ?? badBlock(logical, payload) ?? payload
  },
  logicalBytes: (header) => header.rounded(32),
}

/** FREE and REDACT; a length of 2^64-1 means to the end of the object. */
function freeBytes(header: Header): number | string {
  const toTheEnd = header.high(24) === U32 - 1 && header.low(24) === U32 - 1
  if (!toTheEnd && header.overflows(16, 24)) return 'the range of bytes ends past 2^64'
  return badObject(header) ?? 0
}

const free: RecordRule = { name: 'FREE', toGuidAt: 32, payloadBytes: freeBytes, logicalBytes: nothing }

const end: RecordRule = { name: 'END', toGuidAt: 40, payloadBytes: nothing, logicalBytes: nothing }

const spill: RecordRule = {
  name: 'SPILL',
  toGuidAt: 24,
  payloadBytes(header, stream) {
    const [logical, stored] = [header.rounded(16), header.rounded(40)]
    if (stream.raw !== (stored !== 0)) return `${stored} stored bytes of ${logical} in this kind of stream`
    const payload = stored || logical
    return badObject(header) ?? badBlock(logical, payload) ?? payload
  },
  logicalBytes: (header) => header.rounded(16),
}

const writeEmbedded: RecordRule = {
  name: 'WRITE_EMBEDDED',
  toGuidAt: 32,
  payloadBytes(header, stream) {
    const [length, logical, stored] = [header.rounded(24), header.u32(48), header.u32(52)]
    if (stream.raw) return 'a raw stream holds no embedded blocks'
    if (!stream.embedded) return 'an embedded block needs the feature embedded, which BEGIN does not name'
    if (stored > MAX_EMBEDDED_BYTES) return `${stored} bytes cannot be embedded`
    if (logical < stored || logical > length || length > MAX_BLOCK_BYTES)
      return `${stored} bytes do not become ${logical} in a block of ${length}`
    if (header.overflows(16, 24)) return 'the block ends past 2^64'
    return badObject(header) ?? roundUp8(stored)
  },
  logicalBytes: (header) => header.rounded(24),
}

const objectRange: RecordRule = {
  name: 'OBJECT_RANGE',
  toGuidAt: 24,
  payloadBytes(header, stream) {
    if (!stream.raw) return 'only a raw stream holds ranges of objects'
    const first = header.rounded(8)
    if (header.rounded(16) !== OBJECTS_PER_RANGE || first % OBJECTS_PER_RANGE !== 0 || first >= MAX_OBJECT)
      return `${header.u64(16)} objects from ${header.u64(8)} are no range`
    return 0
  },
  logicalBytes: nothing,
}

/** By `drr_type`. BEGIN, WRITE_BYREF and REDACT are not here: the parser knows what they mean. */
export const RULES: readonly (RecordRule | undefined)[] = [
  undefined,
  object,
  freeObjects,
  write,
  free,
  end,
  undefined,
  spill,
  writeEmbedded,
  objectRange,
]
