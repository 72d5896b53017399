/** Writes the records of a send stream one by one, right or wrong, in either byte order. */
import { versionInfo } from '../../pipeline/stream/features.ts'
import { type ByteOrder, Fletcher4 } from '../../pipeline/stream/fletcher4.ts'
import { CHECKSUM_AT, HEADER_BYTES, RECORD_TYPE, type RecordName } from '../../pipeline/stream/records.ts'

export interface StreamRecord {
  readonly header: Buffer
  readonly payload: Buffer
}

export interface BeginFields {
  readonly toGuid: bigint
  readonly fromGuid?: bigint
  readonly name?: string
  readonly features?: readonly string[]
  /** 1 for one stream, 2 for a package. */
  readonly kind?: number
  readonly createdAtS?: bigint
  readonly payload?: Buffer
}

export interface BlockFields {
  readonly object: bigint
  readonly offset?: bigint
  /** The uncompressed length; the payload's where it is not given. */
  readonly logical?: bigint
  readonly compression?: number
  readonly payload?: Buffer
}

const NONE = Buffer.alloc(0)

/** A header of zeros with its type, and setters for its fields in the stream's byte order. */
export class Fields {
  readonly bytes = Buffer.alloc(HEADER_BYTES)
  readonly #view = new DataView(this.bytes.buffer, this.bytes.byteOffset, HEADER_BYTES)
  readonly #little: boolean

  constructor(order: ByteOrder, type: number) {
    this.#little = order === 'little'
    this.u32(0, type)
  }

  u8(offset: number, value: number): this {
    this.#view.setUint8(offset, value)
    return this
  }

  u32(offset: number, value: number): this {
    this.#view.setUint32(offset, value, this.#little)
    return this
  }

  u64(offset: number, value: bigint): this {
    this.#view.setBigUint64(offset, value, this.#little)
    return this
  }
}

/** All records of one stream: its byte order and the snapshot that it leads to. */
export class Records {
  readonly order: ByteOrder
  readonly toGuid: bigint

  constructor(order: ByteOrder, toGuid: bigint) {
    this.order = order
    this.toGuid = toGuid
  }

  fields(name: RecordName): Fields {
    return new Fields(this.order, RECORD_TYPE[name])
  }

  begin(fields: Omit<BeginFields, 'toGuid'> = {}): StreamRecord {
    const payload = fields.payload ?? NONE
    const header = this.fields('BEGIN')
      .u32(4, payload.length)
      .u64(8, 0x2f5bacbacn)
      .u64(16, versionInfo(fields.kind ?? 1, fields.features ?? []))
      .u64(24, fields.createdAtS ?? 1_700_000_000n)
      .u32(32, 2)
      .u64(40, this.toGuid)
      .u64(48, fields.fromGuid ?? 0n).bytes
    header.write(fields.name ?? 'pool/data@snapshot', 56, 256, 'latin1')
    return { header, payload }
  }

  object(id: bigint, bonus = 0, raw = false): StreamRecord {
    const padded = raw && bonus > 0 ? 320 : Math.ceil(bonus / 8) * 8
    const header = this.fields('OBJECT')
      .u64(8, id)
      .u32(16, 19)
      .u32(20, bonus > 0 ? 44 : 0)
      .u32(24, 131_072)
      .u32(28, bonus)
      .u8(34, 1)
      .u32(36, raw ? padded : 0)
      .u64(40, this.toGuid).bytes
    return { header, payload: Buffer.alloc(padded, 'bonus') }
  }

  write({ object, offset = 0n, logical, compression = 0, payload = NONE }: BlockFields): StreamRecord {
    const header = this.fields('WRITE')
      .u64(8, object)
      .u32(16, 19)
      .u64(24, offset)
      .u64(32, logical ?? BigInt(payload.length))
      .u64(40, this.toGuid)
      .u8(50, compression)
      .u64(96, compression === 0 ? 0n : BigInt(payload.length)).bytes
    return { header, payload }
  }

  spill({ object, logical, compression = 0, payload = NONE }: BlockFields): StreamRecord {
    const header = this.fields('SPILL')
      .u64(8, object)
      .u64(16, logical ?? BigInt(payload.length))
      .u64(24, this.toGuid)
      .u8(33, compression)
      .u64(40, compression === 0 ? 0n : BigInt(payload.length)).bytes
    return { header, payload }
  }

  /** `payload` is padded to 8 bytes here. */
  embedded({
    object,
    offset = 0n,
    logical = 512n,
    compression = 15,
    payload = NONE,
  }: BlockFields): StreamRecord {
    const header = this.fields('WRITE_EMBEDDED')
      .u64(8, object)
      .u64(16, offset)
      .u64(24, logical)
      .u64(32, this.toGuid)
      .u8(40, compression)
      .u32(48, Number(logical))
      .u32(52, payload.length).bytes
    return { header, payload: Buffer.concat([payload], Math.ceil(payload.length / 8) * 8) }
  }

  free(object: bigint, offset: bigint, length = 2n ** 64n - 1n): StreamRecord {
    const header = this.fields('FREE')
      .u64(8, object)
      .u64(16, offset)
      .u64(24, length)
      .u64(32, this.toGuid).bytes
    return { header, payload: NONE }
  }

  freeObjects(first: bigint, count: bigint): StreamRecord {
    const header = this.fields('FREEOBJECTS').u64(8, first).u64(16, count).u64(24, this.toGuid).bytes
    return { header, payload: NONE }
  }

  objectRange(first: bigint, slots = 32n): StreamRecord {
    const header = this.fields('OBJECT_RANGE').u64(8, first).u64(16, slots).u64(24, this.toGuid).bytes
    return { header, payload: NONE }
  }

  redact(object: bigint, offset: bigint, length: bigint): StreamRecord {
    const header = this.fields('REDACT')
      .u64(8, object)
      .u64(16, offset)
      .u64(24, length)
      .u64(32, this.toGuid).bytes
    return { header, payload: NONE }
  }

  writeByReference(object: bigint, offset: bigint, length: bigint): StreamRecord {
    const header = this.fields('WRITE_BYREF')
      .u64(8, object)
      .u64(16, offset)
      .u64(24, length)
      .u64(32, this.toGuid).bytes
    return { header, payload: NONE }
  }

  end(): StreamRecord {
    return { header: this.fields('END').u64(40, this.toGuid).bytes, payload: NONE }
  }
}

/** Writes each record's checksums into its header, one after the other, as a sender does. */
export class Sealer {
  readonly #order: ByteOrder
  readonly #sum: Fletcher4
  readonly #each: boolean

  /** Without `each` only END carries one, as senders before OpenZFS did. */
  constructor(order: ByteOrder, each = true) {
    this.#order = order
    this.#sum = new Fletcher4(order)
    this.#each = each
  }

  seal({ header, payload }: StreamRecord): void {
    const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES)
    const type = view.getUint32(0, this.#order === 'little')
    if (type === RECORD_TYPE.END) this.#sum.write(view, 8)
    this.#sum.update(header, 0, CHECKSUM_AT)
    if (type !== RECORD_TYPE.BEGIN) {
      if (this.#each) this.#sum.write(view, CHECKSUM_AT)
      else header.fill(0, CHECKSUM_AT)
    }
    this.#sum.update(header, CHECKSUM_AT)
    this.#sum.update(payload)
  }
}

/** The whole stream, its checksums made right whatever the records say. */
export function sealed(order: ByteOrder, records: readonly StreamRecord[], each = true): Buffer {
  const sealer = new Sealer(order, each)
  const parts: Buffer[] = []
  for (const record of records) {
    const own = { header: Buffer.from(record.header), payload: record.payload }
    sealer.seal(own)
    parts.push(own.header, own.payload)
  }
  return Buffer.concat(parts)
}
