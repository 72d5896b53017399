/** The properties that a pool for projects is to have, as far as this ZFS knows them. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { humanBytes } from '../../pipeline/base/units.ts'
import type { Capabilities } from './capabilities.ts'

export interface PoolWishes {
  /** At most 128 KiB: above it, a stream is only taken by hosts that were told so from the first one on. */
  readonly recordBytes?: number
  /** `disabled` loses up to the last seconds of a crash, also of what programs had made durable. */
  readonly sync?: 'standard' | 'always' | 'disabled'
}

export interface Wanted {
  readonly name: string
  readonly value: string
  readonly why: string
  /** Other values that do as well. */
  readonly also?: readonly string[]
  /** How it may be shown where it was set; where it was not, the same word means another value. */
  readonly shownAs?: string
}

export const MAX_RECORD_BYTES = 128 * 1024

const MIN_RECORD_BYTES = 512

/** Throws `bad-value` for a wish that no pool for projects fulfils, `not-supported` for one that this ZFS can't. */
export function wantedProperties(capabilities: Capabilities, wishes: PoolWishes = {}): Wanted[] {
  const { recordBytes = MAX_RECORD_BYTES, sync = 'standard' } = wishes
  checkRecordSize(recordBytes)
  if (sync !== 'standard' && !capabilities.sync)
    throw new TidepoolError('not-supported', `this ZFS can't set sync to ${sync}`, {
      hint: 'Leave it out: it has no such property, and does what `standard` means elsewhere.',
    })
  const { compression, xattrSa, posixAcl, dnodeSize } = capabilities
  const wanted: (Wanted | false)[] = [
    {
      name: 'compression',
      value: compression.lz4 ? 'lz4' : 'on',
      also: compression.zstd ? ['zstd', 'on'] : ['lzjb', 'gzip'],
      why: 'smaller in the pool and, sent compressed, in the store',
    },
    { name: 'atime', value: 'off', why: 'reading a file would make the project look changed' },
    {
      name: 'recordsize',
      value: String(recordBytes),
      why: 'larger records make streams that other hosts refuse',
    },
    { name: 'setuid', value: 'off', why: 'what users bring must give nobody rights' },
    { name: 'devices', value: 'off', why: 'what users bring must give nobody a device' },
    xattrSa && {
      name: 'xattr',
      value: 'sa',
      // OpenZFS 2.3 calls it so; up to 2.1 that is its default, and a directory for each file.
      shownAs: 'on',
      why: 'attributes cost no file of their own',
    },
    posixAcl !== undefined && {
      name: 'acltype',
      value: posixAcl,
      also: ['posix', 'posixacl'],
      why: 'POSIX ACLs of users are kept',
    },
    dnodeSize && { name: 'dnodesize', value: 'legacy', why: 'larger ones make receiving many files slow' },
    capabilities.sync && {
      name: 'sync',
      value: sync,
      why:
        sync === 'disabled' ? 'it is quicker, as was asked for' : 'what a program makes durable is durable',
    },
  ]
  return wanted.filter((one) => one !== false)
}

function checkRecordSize(bytes: number): void {
  if (bytes <= MAX_RECORD_BYTES && bytes >= MIN_RECORD_BYTES && Number.isInteger(Math.log2(bytes))) return
  throw new TidepoolError('bad-value', `records of ${bytes} bytes are not for projects`, {
    hint: `Choose a power of two from ${MIN_RECORD_BYTES} to ${MAX_RECORD_BYTES} (${humanBytes(BigInt(MAX_RECORD_BYTES))}): streams with larger records are refused by hosts that were not told of them.`,
  })
}
