/** Sizes, durations and shares as people type them; the one place where they are read. */
import { TidepoolError } from '../../pipeline/base/errors.ts'

const BYTES: Readonly<Record<string, bigint>> = {
  '': 1n,
  K: 2n ** 10n,
  M: 2n ** 20n,
  G: 2n ** 30n,
  T: 2n ** 40n,
  P: 2n ** 50n,
}

/** `512`, `256K`, `1M`, `64KiB`: always powers of 1024. */
export function parseSize(text: string): bigint {
  const [, number, unit = ''] = /^([0-9]{1,15})\s*([KMGTP]?)(?:i?B)?$/i.exec(text) ?? []
  const factor = BYTES[unit.toUpperCase()]
  if (number === undefined || factor === undefined)
    throw new TidepoolError('bad-size', `${JSON.stringify(text)} is not a size`, {
      hint: 'Write a number with K, M, G, T or P behind it: 256K, 1M.',
    })
  return BigInt(number) * factor
}

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** `90s`, `5m`, `24h`, `30d`. A number alone is refused, because one would guess its unit. */
export function parseDuration(text: string): number {
  const [, number, unit = ''] = /^([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|min|h|d)$/.exec(text) ?? []
  const factor = MILLISECONDS[unit]
  if (number === undefined || factor === undefined)
    throw new TidepoolError('bad-duration', `${JSON.stringify(text)} is not a duration`, {
      hint: 'Write a number with its unit: 90s, 5m, 24h, 30d.',
    })
  return Math.round(Number(number) * factor)
}

/** `5%` as 0.05; 0 and more than 100 are refused. */
export function parseShare(text: string): number {
  const [, number] = /^([0-9]+(?:\.[0-9]+)?)\s*%$/.exec(text) ?? []
  const share = Number(number) / 100
  if (!(share > 0 && share <= 1))
    throw new TidepoolError('bad-share', `${JSON.stringify(text)} is not a share`, {
      hint: 'Write a part of the whole as 5% or 0.5%; 100% is all of it.',
    })
  return share
}
