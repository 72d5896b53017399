/** Counts what a run said and did, for the summary at its end. */
import type { Finding, ScrubSummary } from './findings.ts'

const TAKES_BYTES: ReadonlySet<Finding['kind']> = new Set([
  'stale-write',
  'unfinished-removal',
  'superseded-expired',
  'project-expired',
  'unfinished-purge',
  'orphan',
] as const)

export class Tally {
  readonly #findings: Partial<Record<Finding['kind'], number>> = {}
  #unchecked = 0
  #stopped = false
  #removals = 0
  #removedBytes = 0n

  note(finding: Finding): void {
    this.#findings[finding.kind] = (this.#findings[finding.kind] ?? 0) + 1
    if (finding.kind === 'unchecked') this.#unchecked++
    if (finding.kind === 'stopped-for-safety') this.#stopped = true
    if (finding.action !== 'done' || !TAKES_BYTES.has(finding.kind)) return
    this.#removals++
    this.#removedBytes += ('bytes' in finding && finding.bytes) || 0n
  }

  summary(): Pick<ScrubSummary, 'complete' | 'stoppedForSafety' | 'findings' | 'removals' | 'removedBytes'> {
    return {
      complete: this.#unchecked === 0,
      stoppedForSafety: this.#stopped,
      findings: this.#findings,
      removals: this.#removals,
      removedBytes: this.#removedBytes,
    }
  }
}
