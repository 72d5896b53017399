/** Counts what a run said and did, for the summary at its end. */
import type { Finding, ScrubSummary } from './findings.ts'

export class Tally {
  readonly #findings: Partial<Record<Finding['kind'], number>> = {}
  #unchecked = 0
  #stopped = false
  #removedWrites = 0
  #removedBytes = 0n

  note(finding: Finding): void {
    this.#findings[finding.kind] = (this.#findings[finding.kind] ?? 0) + 1
    if (finding.kind === 'unchecked') this.#unchecked++
    if (finding.kind === 'stopped-for-safety') this.#stopped = true
    if (finding.action !== 'done' || !('bytes' in finding) || finding.bytes === null) return
    if (finding.kind === 'superfluous-write') return
    this.#removedWrites++
    this.#removedBytes += finding.bytes
  }

  summary(): Pick<
    ScrubSummary,
    'complete' | 'stoppedForSafety' | 'findings' | 'removedWrites' | 'removedBytes'
  > {
    return {
      complete: this.#unchecked === 0,
      stoppedForSafety: this.#stopped,
      findings: this.#findings,
      removedWrites: this.#removedWrites,
      removedBytes: this.#removedBytes,
    }
  }
}
