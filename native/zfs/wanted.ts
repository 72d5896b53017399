/** The properties that a pool for projects is to have, as far as this ZFS knows them. */
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
}

export const MAX_RECORD_BYTES = 128 * 1024

export function wantedProperties(capabilities: Capabilities, wishes: PoolWishes = {}): Wanted[] {
  const { recordBytes = MAX_RECORD_BYTES, sync = 'standard' } = wishes
  if (recordBytes > MAX_RECORD_BYTES || recordBytes < 512 || !Number.isInteger(Math.log2(recordBytes)))
    throw new RangeError(
      `${recordBytes} is no record size: a power of two from 512 to ${MAX_RECORD_BYTES} bytes`,
    )
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
    xattrSa && { name: 'xattr', value: 'sa', why: 'attributes cost no file of their own' },
    posixAcl !== undefined && {
      name: 'acltype',
      value: posixAcl,
      also: ['posix', 'posixacl'],
      why: 'POSIX ACLs of users are kept',
    },
    dnodeSize && { name: 'dnodesize', value: 'legacy', why: 'larger ones make receiving many files slow' },
    capabilities.sync && { name: 'sync', value: sync, why: 'what a program makes durable is durable' },
  ]
  return wanted.filter((one) => one !== false)
}
