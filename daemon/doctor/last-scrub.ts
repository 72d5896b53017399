/** What `zpool status` says of the last scrub. */

export type LastScrub = { readonly endedMs: number; readonly errors: number } | { readonly running: string }

/**
 * `scan: scrub repaired 0B in 00:00:01 with 0 errors on Fri Nov 27 20:00:00 2026`; zfs-fuse writes `scrub: scrub completed after
 * 0h0m with 0 errors on ...`. Undefined where there was none since the pool was made.
 */
export function lastScrub(status: string): LastScrub | undefined {
  const line = /^ *(?:scan|scrub): (.*)$/m.exec(status)?.[1] ?? ''
  if (/in progress/.test(line)) return { running: 'one is under way' }
  const [, errors, date] = /^scrub (?:repaired|completed).* with ([0-9]+) errors on (.*)$/.exec(line) ?? []
  const endedMs = Date.parse(date ?? '')
  return errors === undefined || Number.isNaN(endedMs) ? undefined : { endedMs, errors: Number(errors) }
}
