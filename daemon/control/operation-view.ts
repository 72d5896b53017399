/** An operation as the API tells it. */
import type { Operation } from '../operations/operation.ts'
import { bodyOf } from './errors.ts'

export function operationView(operation: Operation) {
  const { asked, progress, endedAtMs, leftMs } = operation
  return {
    id: operation.id,
    ...asked,
    state: operation.state,
    step: progress.step,
    doneBytes: progress.doneBytes ?? null,
    totalBytes: progress.totalBytes ?? null,
    bytesPerSecond: Math.round(operation.bytesPerSecond),
    leftMs: leftMs === undefined ? null : Math.round(leftMs),
    startedAt: new Date(operation.startedAtMs).toISOString(),
    endedAt: endedAtMs === undefined ? null : new Date(endedAtMs).toISOString(),
    ...(operation.error === undefined ? { error: null } : bodyOf(operation.error)),
    result: operation.result ?? null,
  }
}

export type OperationView = ReturnType<typeof operationView>
