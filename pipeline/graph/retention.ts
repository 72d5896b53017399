/** Which points the policy wants to stay restorable. Pure: points and a policy in, reasons out. */
import type { Guid } from '../base/ids.ts'
import { newestFirst, type Point } from './points.ts'

export interface RetentionPolicy {
  /** How many of the newest points. */
  readonly latest: number
  /** For each of so many hours (days, …) that have a point: its newest one. UTC. */
  readonly hourly: number
  readonly daily: number
  readonly weekly: number
  readonly monthly: number
}

export const DEFAULT_RETENTION: RetentionPolicy = { latest: 10, hourly: 24, daily: 7, weekly: 4, monthly: 12 }

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** 1970 began on a Thursday; weeks begin on Monday. */
const MONDAY_SHIFT_DAYS = 3

const PERIODS = {
  hourly: (ms: number) => Math.floor(ms / HOUR_MS),
  daily: (ms: number) => Math.floor(ms / DAY_MS),
  weekly: (ms: number) => Math.floor((ms / DAY_MS + MONDAY_SHIFT_DAYS) / 7),
  monthly: (ms: number) => {
    const at = new Date(ms)
    return at.getUTCFullYear() * 12 + at.getUTCMonth()
  },
} as const

/** Every point that the policy keeps, with the first reason that keeps it. */
export function retain(points: Iterable<Point>, policy: RetentionPolicy): Map<Guid, string> {
  const sorted = [...points].sort(newestFirst)
  const kept = new Map<Guid, string>()
  for (const { guid } of sorted.slice(0, policy.latest)) kept.set(guid, 'latest')
  for (const [name, periodOf] of Object.entries(PERIODS)) {
    let left = policy[name as keyof typeof PERIODS]
    let last: number | undefined
    for (const { guid, atMs } of sorted) {
      if (left === 0) break
      const period = periodOf(atMs)
      if (period === last) continue
      last = period
      left--
      if (!kept.has(guid)) kept.set(guid, name)
    }
  }
  return kept
}
