/** Valid send streams of any length out of a seed, made as they are read. */
import type { ByteOrder } from '../../pipeline/stream/fletcher4.ts'
import { HEADER_BYTES } from '../../pipeline/stream/records.ts'
import { bytes as randomBytes, seeded } from './random.ts'
import { Records, Sealer, type StreamRecord } from './stream-records.ts'

export interface GeneratorOptions {
  /** Decides the data, and the GUIDs where they are not given. */
  readonly seed: number
  /** The exact length: a multiple of 8, `EMPTY_STREAM_BYTES` or at least `MIN_STREAM_BYTES`. */
  readonly bytes: number | bigint
  /** None for a full stream. */
  readonly fromGuid?: bigint | string | null
  readonly toGuid?: bigint | string
  readonly name?: string
  readonly createdAtMs?: number
  readonly byteOrder?: ByteOrder
  /** A multiple of 8 from 512 to 16 MiB; above 128 KiB the stream has the feature large-blocks. */
  readonly recordBytes?: number
  readonly features?: readonly string[]
  /** Every other half KiB is text that compresses well; otherwise nothing does. */
  readonly halfCompressible?: boolean
  /** False as before OpenZFS: only END carries a checksum. */
  readonly recordChecksums?: boolean
  /** The length of each piece but the last. */
  readonly pieceBytes?: number
}

/** BEGIN and END alone: nothing changed. */
export const EMPTY_STREAM_BYTES = 2 * HEADER_BYTES
const BONUS_BYTES = 176
const SMALLEST_WRITE = HEADER_BYTES + 512
/** BEGIN, FREEOBJECTS, OBJECT with its bonus, FREE, one WRITE, END. */
export const MIN_STREAM_BYTES = 5 * HEADER_BYTES + BONUS_BYTES + SMALLEST_WRITE
const OLD_MAX_BLOCK_BYTES = 128 * 1024
const OBJECT = 128n

/**
 * Every piece is a fresh buffer that the reader may keep or change. Above 1 GB/s on one core with records of 128 KiB;
 * memory does not grow with the length.
 */
export async function* generateStream(options: GeneratorOptions): AsyncGenerator<Buffer, void, void> {
  const pieceBytes = options.pieceBytes ?? 256 * 1024
  let piece = Buffer.allocUnsafeSlow(pieceBytes)
  let fill = 0
  const sealer = new Sealer(options.byteOrder ?? 'little', options.recordChecksums ?? true)
  for (const record of records(options)) {
    sealer.seal(record)
    for (const part of [record.header, record.payload]) {
      let at = 0
      while (at < part.length) {
        const copied = part.copy(piece, fill, at)
        at += copied
        fill += copied
        if (fill < pieceBytes) continue
        yield piece
        piece = Buffer.allocUnsafeSlow(pieceBytes)
        fill = 0
      }
    }
  }
  if (fill > 0) yield piece.subarray(0, fill)
}

export async function streamBytes(options: GeneratorOptions): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of generateStream(options)) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** The GUID of a seed's snapshot where none is given; half of them are over 2^63. */
export function seededGuid(seed: number): bigint {
  return randomBytes(seeded(seed ^ 0x5eed), 8).readBigUInt64LE() | 1n
}

function* records(options: GeneratorOptions): Generator<StreamRecord> {
  const { seed, recordBytes = OLD_MAX_BLOCK_BYTES } = options
  const length = BigInt(options.bytes)
  if (length % 8n !== 0n || (length !== BigInt(EMPTY_STREAM_BYTES) && length < BigInt(MIN_STREAM_BYTES)))
    throw new RangeError(`no stream of ${length} bytes can be made`)
  const made = new Records(options.byteOrder ?? 'little', BigInt(options.toGuid ?? seededGuid(seed)))
  const large = recordBytes > OLD_MAX_BLOCK_BYTES ? ['large-blocks'] : []
  yield made.begin({
    fromGuid: BigInt(options.fromGuid ?? 0n),
    features: [...new Set([...(options.features ?? []), ...large])],
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.createdAtMs === undefined
      ? {}
      : { createdAtS: BigInt(Math.floor(options.createdAtMs / 1000)) }),
  })
  if (length > BigInt(EMPTY_STREAM_BYTES)) {
    yield made.freeObjects(0n, OBJECT)
    yield made.object(OBJECT, BONUS_BYTES)
    yield made.free(OBJECT, 2n ** 62n)
    yield* writes(made, options, length - BigInt(MIN_STREAM_BYTES - SMALLEST_WRITE))
  }
  yield made.end()
}

/** Blocks of `recordBytes` and one or two of another size at the end, so that they take exactly `left` bytes. */
function* writes(made: Records, options: GeneratorOptions, left: bigint): Generator<StreamRecord> {
  const { recordBytes = OLD_MAX_BLOCK_BYTES } = options
  const unit = BigInt(HEADER_BYTES + recordBytes)
  const rest = BigInt(SMALLEST_WRITE)
  const random = seeded(options.seed)
  const slab = slabOf(options, recordBytes + SMALLEST_WRITE)
  let offset = 0n
  while (left > 0n) {
    let take = unit
    if (left <= unit) take = left
    // What is left may be too much for one block, yet leave too little for a second after a whole one.
    else if (left < unit + rest) take = left < 2n * rest ? left : left - rest
    const size = Number(take) - HEADER_BYTES
    // Another place of the slab for each block: data that hardly repeats, at no cost.
    const from = 8 * Math.floor((random() * (slab.length - size)) / 8)
    yield made.write({ object: OBJECT, offset, payload: slab.subarray(from, from + size) })
    offset += BigInt(size)
    left -= take
  }
}

function slabOf({ seed, halfCompressible = false }: GeneratorOptions, atLeast: number): Buffer {
  const slab = randomBytes(seeded(seed ^ 0xda7a), Math.max(1024 * 1024, 2 * atLeast))
  if (halfCompressible)
    for (let at = 0; at < slab.length; at += 1024) slab.fill('the same words again and again ', at, at + 512)
  return slab
}
