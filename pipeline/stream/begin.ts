/** The BEGIN record: from where to where the stream goes, what a receiver has to know, and the streams refused for it. */
import type { Guid } from '../base/ids.ts'
import { guid } from '../base/ids.ts'
import { type StreamFaultCode, streamFault } from './faults.ts'
import { COMPOUND_STREAM, featureNames, headerKind, PLAIN_STREAM } from './features.ts'
import type { ByteOrder } from './fletcher4.ts'
import type { Header } from './records.ts'

export interface StreamBegin {
  /** Null in a full stream. */
  readonly fromGuid: Guid | null
  readonly toGuid: Guid
  /** `pool/dataset@snapshot` as it was called where it was sent. */
  readonly toName: string
  /** When the snapshot was taken, by the sender's wall clock. */
  readonly createdAtMs: number
  readonly features: readonly string[]
  readonly byteOrder: ByteOrder
  /** Blocks as they are on disk: encrypted where the dataset is. */
  readonly raw: boolean
}

/** Type and magic: as many bytes as tell a stream from anything else. */
export const PREFIX_BYTES = 16
const BIG_MAGIC = [0, 0, 0, 2, 0xf5, 0xba, 0xcb, 0xac]
const MAGICS = [
  { order: 'little', magic: BIG_MAGIC.toReversed() },
  { order: 'big', magic: BIG_MAGIC },
] as const
const NAME_AT = 56
const NAME_BYTES = 256
/** The kernel's own limit for what BEGIN brings along. */
const MAX_PAYLOAD_BYTES = 2 ** 28
/** `DMU_OST_*`: none, meta, filesystem, volume, other, any. */
const OBJECT_SET_TYPES = 6
const MAX_DATE_S = 8_640_000_000_000n
const NAME = /^[ -~]+@[ -~]+$/

const refused: Readonly<Record<string, readonly [StreamFaultCode, string]>> = {
  resuming: ['stream-resumed', 'it is the rest of a stream that broke off'],
  redacted: ['stream-redacted', 'it leaves out what a redaction bookmark names'],
  dedup: ['stream-deduplicated', 'its blocks refer to each other'],
  'dedup-props': ['stream-deduplicated', 'its blocks refer to each other'],
}

/**
 * The byte order of a stream by its first 16 bytes, type and magic; undefined where this is no stream. Of fewer bytes
 * it says whether they can become one.
 */
export function byteOrderOf(bytes: Uint8Array, at: number, length = PREFIX_BYTES): ByteOrder | undefined {
  return MAGICS.find(({ magic }) => {
    for (let i = 0; i < length; i++) {
      // Type 0, the length of the payload that may be anything, the magic.
      if (i < 4 && bytes[at + i] !== 0) return false
      if (i >= 8 && bytes[at + i] !== magic[i - 8]) return false
    }
    return true
  })?.order
}

export interface ParsedBegin {
  readonly begin: StreamBegin
  readonly payloadBytes: number
}

export function parseBegin(header: Header, order: ByteOrder): ParsedBegin {
  const info = header.u64(16)
  const features = featureNames(info)
  const kind = headerKind(info)
  if (kind === COMPOUND_STREAM) throw streamFault('stream-compound', 16n, 'it is a package of streams')
  if (kind !== PLAIN_STREAM) throw streamFault('stream-malformed', 16n, `no stream is of kind ${kind}`)
  for (const feature of features) {
    const [code, why] = refused[feature] ?? []
    if (code !== undefined && why !== undefined) throw streamFault(code, 16n, why)
  }
  const raw = features.includes('raw')
  const payloadBytes = header.u32(4)
  // The keys of a raw stream are the only payload left: properties come in packages, bookmarks in what is refused above.
  if (raw !== payloadBytes > 0)
    throw streamFault(
      'stream-malformed',
      4n,
      `BEGIN brings ${payloadBytes} bytes along in a ${raw ? '' : 'not '}raw stream`,
    )
  if (payloadBytes > MAX_PAYLOAD_BYTES)
    throw streamFault('stream-malformed', 4n, `BEGIN brings ${payloadBytes} bytes along`)
  if (header.u32(32) >= OBJECT_SET_TYPES)
    throw streamFault('stream-malformed', 32n, `no dataset is of type ${header.u32(32)}`)
  const [to, from] = [header.u64(40), header.u64(48)]
  if (to === 0n || to === from)
    throw streamFault('stream-malformed', 40n, `it leads from snapshot ${from} to snapshot ${to}`)
  return {
    begin: {
      fromGuid: from === 0n ? null : guid(from),
      toGuid: guid(to),
      toName: toName(header),
      createdAtMs: createdAtMs(header),
      features,
      byteOrder: order,
      raw,
    },
    payloadBytes,
  }
}

function toName(header: Header): string {
  let name = ''
  let end = 0
  while (end < NAME_BYTES && header.u8(NAME_AT + end) !== 0)
    name += String.fromCharCode(header.u8(NAME_AT + end++))
  if (end === NAME_BYTES || !NAME.test(name))
    throw streamFault('stream-malformed', BigInt(NAME_AT), `${JSON.stringify(name)} is no snapshot's name`)
  return name
}

function createdAtMs(header: Header): number {
  const seconds = header.u64(24)
  if (seconds > MAX_DATE_S)
    throw streamFault('stream-malformed', 24n, `no snapshot was taken at second ${seconds}`)
  return Number(seconds) * 1000
}
