/** The feature flags of a stream, by name: what a receiver has to know to take it. */
import { TidepoolError } from '../base/errors.ts'

/** `DMU_BACKUP_FEATURE_*` of OpenZFS by bit; bits without a name there keep their number in ours. */
const NAMES: Readonly<Record<number, string>> = {
  0: 'dedup',
  1: 'dedup-props',
  2: 'sa-spill',
  16: 'embedded',
  17: 'lz4',
  19: 'large-blocks',
  20: 'resuming',
  21: 'redacted',
  22: 'compressed',
  23: 'large-dnode',
  24: 'raw',
  25: 'zstd',
  26: 'holds',
  27: 'switch-to-large-blocks',
  28: 'longname',
  29: 'large-microzap',
}

/** The two lowest bits of `drr_versioninfo` are the kind of header, all above are features. */
const HEADER_KIND_BITS = 2n

export const PLAIN_STREAM = 1
export const COMPOUND_STREAM = 2

export function headerKind(versionInfo: bigint): number {
  return Number(versionInfo & 3n)
}

/**
 * Unknown bits become `feature-18` and the like, and are no reason to refuse: a later ZFS adds flags without
 * changing how records are framed, and where it does, the checksum at the end does not come out.
 */
export function featureNames(versionInfo: bigint): string[] {
  const names: string[] = []
  for (let bits = versionInfo >> HEADER_KIND_BITS, bit = 0; bits !== 0n; bits >>= 1n, bit++)
    if (bits & 1n) names.push(NAMES[bit] ?? `feature-${bit}`)
  return names
}

/** Undefined: no feature is called so. */
function bitOf(feature: string): string | undefined {
  const numbered = /^feature-([0-9]{1,2})$/.exec(feature)?.[1]
  return numbered ?? Object.keys(NAMES).find((key) => NAMES[Number(key)] === feature)
}

/** `lz4,embedded` as people write it, each once. Throws `bad-features`, which names those that there are. */
export function featureList(text: string): string[] {
  const names = text.split(',').flatMap((name) => name.trim() || [])
  const unknown = names.find((name) => bitOf(name) === undefined)
  if (unknown === undefined) return [...new Set(names)]
  throw new TidepoolError('bad-features', `no stream feature is called ${JSON.stringify(unknown)}`, {
    hint: `There are ${Object.values(NAMES).join(', ')}; \`tidepool stream show\` names those of a stream.`,
  })
}

/** What a store is to let in, as people write it: a list, `none`, or `any`, which is null. */
export function receivableFrom(text: string): string[] | null {
  if (text === 'any') return null
  return text === 'none' ? [] : featureList(text)
}

/** The way back, for whoever writes streams. */
export function versionInfo(kind: number, features: readonly string[]): bigint {
  let bits = 0n
  for (const feature of features) {
    const bit = bitOf(feature)
    if (bit === undefined) throw new RangeError(`no stream feature is called ${JSON.stringify(feature)}`)
    bits |= 1n << BigInt(bit)
  }
  return (bits << HEADER_KIND_BITS) | BigInt(kind)
}
