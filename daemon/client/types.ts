/** What a daemon answers, as its clients read it: sizes are text, because a JSON number loses what is past 2^53. */
import type { ErrorBody } from '../control/errors.ts'

export interface OperationStatus {
  readonly id: string
  readonly verb: string
  readonly project: string | null
  readonly principal: string
  readonly origin: string
  readonly state: 'running' | 'done' | 'failed' | 'cancelled'
  readonly step: string
  readonly doneBytes: string | null
  readonly totalBytes: string | null
  readonly bytesPerSecond: number
  readonly leftMs: number | null
  readonly startedAt: string
  readonly endedAt: string | null
  readonly error: ErrorBody['error'] | null
  /** What a caller who waited got. */
  readonly result: Readonly<Record<string, unknown>> | null
}

export interface HostEventView {
  readonly id: string
  readonly at: string
  /** `project-opened`, `save-failed`, `gap`, …: docs/api.md lists them. */
  readonly kind: string
  readonly project: string | null
  readonly [fact: string]: unknown
}
