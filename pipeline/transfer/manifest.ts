/** The record of what a write holds: enough to fetch it, to prove it, and to know who can receive it. */
import { z } from 'zod'
import { TidepoolError } from '../base/errors.ts'
import { KIB, MIB, storableBytes } from '../base/units.ts'

export const MANIFEST_VERSION = 1
export const MIN_CHUNK_BYTES = 64 * KIB
export const MAX_CHUNK_BYTES = 4 * MIB

/** Sizes are text in JSON: a JSON number loses what is past 2^53. */
const size = z
  .string()
  .regex(/^[0-9]{1,19}$/)
  .transform(BigInt)

const schema = z.object({
  version: z.literal(MANIFEST_VERSION),
  /** How chunks are encoded; `none` until there is compression or encryption, and then told apart without a migration. */
  codec: z.literal('none'),
  bytes: size,
  chunkBytes: z.int().min(MIN_CHUNK_BYTES).max(MAX_CHUNK_BYTES),
  chunkCount: z.int().min(1),
  /** SHA-256, in hex, over the chunks' SHA-256 digests in order. */
  rootDigest: z.string().regex(/^[0-9a-f]{64}$/),
  stream: z.object({
    toName: z.string(),
    createdAtMs: z.number(),
    byteOrder: z.enum(['little', 'big']),
    /** What a receiver must know, by OpenZFS's names. */
    features: z.array(z.string()),
    logicalBytes: size,
    records: z.record(z.string(), size),
  }),
  /** What the caller measured of the dataset, where it could. */
  usage: z.object({ referencedBytes: size, usedBytes: size, logicalBytes: size.optional() }).optional(),
  treeDigest: z.string().optional(),
})

export type Manifest = z.infer<typeof schema>

/** One line of JSON, sizes as text. Refuses sizes that a store could not keep. */
export function encodeManifest(manifest: Manifest): string {
  storableBytes(manifest.bytes, 'the stream')
  storableBytes(manifest.stream.logicalBytes, "the stream's content")
  return JSON.stringify(manifest, (_key, value) => (typeof value === 'bigint' ? String(value) : value))
}

export function decodeManifest(text: string, what: string): Manifest {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw unreadable(what, 'it is not JSON', cause)
  }
  const version = (json as { version?: unknown } | null)?.version
  if (typeof version === 'number' && version > MANIFEST_VERSION)
    throw new TidepoolError(
      'manifest-newer',
      `${what} has manifest version ${version}; this program knows ${MANIFEST_VERSION}`,
      {
        hint: 'A newer Tidepool wrote it: use that version, or a later one, to read it.',
      },
    )
  const parsed = schema.safeParse(json)
  if (!parsed.success)
    throw unreadable(what, z.prettifyError(parsed.error).replaceAll('\n', ' '), parsed.error)
  return parsed.data
}

function unreadable(what: string, why: string, cause: unknown): TidepoolError {
  return new TidepoolError('manifest-unreadable', `the manifest of ${what} can't be read: ${why}`, {
    cause,
    hint: 'The catalogue is damaged there: `tidepool scrub --depth deep` lists what else is.',
  })
}

/** How long chunk `seq` is: the last one is what is left. */
export function chunkLength(
  manifest: Pick<Manifest, 'bytes' | 'chunkBytes' | 'chunkCount'>,
  seq: number,
): number {
  if (seq < manifest.chunkCount - 1) return manifest.chunkBytes
  return Number(manifest.bytes - BigInt(seq) * BigInt(manifest.chunkBytes))
}
