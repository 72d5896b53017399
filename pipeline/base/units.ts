/** Sizes: bigint from the first byte to the last table, and words for people at the very edge. */
import { TidepoolError } from './errors.ts'

export const KIB = 1024
export const MIB = 1024 * KIB
export const GIB = 1024 * MIB

/** The largest size that a store's 64-bit signed column holds; a driver wraps silently past it. */
export const MAX_BYTES = 2n ** 63n - 1n

/** The size itself, refused where a store could not keep it. */
export function storableBytes(bytes: bigint, what: string): bigint {
  if (bytes < 0n || bytes > MAX_BYTES)
    throw new TidepoolError(
      'size-out-of-range',
      `${what} is ${bytes} bytes; a store keeps 0 to ${MAX_BYTES}`,
      {
        hint: 'No real stream is that long: check where the number comes from.',
      },
    )
  return bytes
}

const STEPS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const

/** `1.5 GiB`: for people only, never parsed again. */
export function humanBytes(bytes: bigint | number): string {
  let value = Number(bytes)
  let step = 0
  while (value >= 1024 && step < STEPS.length - 1) {
    value /= 1024
    step++
  }
  return `${step === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${STEPS[step]}`
}
