/** One line that says how far an operation of the daemon is. */
import { humanBytes } from '../../pipeline/base/units.ts'
import type { OperationStatus } from '../client/types.ts'
import { humanDuration } from './progress.ts'

type Shown = Pick<
  OperationStatus,
  'verb' | 'project' | 'step' | 'doneBytes' | 'totalBytes' | 'bytesPerSecond' | 'leftMs'
>

/** `open home1: receive  256 MiB of 1.0 GiB (25 %)  128 MiB/s  6 s left`. */
export function operationLine(operation: Shown): string {
  const { verb, project, step, doneBytes, totalBytes, bytesPerSecond, leftMs } = operation
  const what = `${verb}${project === null ? '' : ` ${project}`}: ${step}`
  if (doneBytes === null) return what
  const total = Number(totalBytes ?? 0)
  const percent = total > 0 ? Math.min(100, Math.floor((Number(doneBytes) / total) * 100)) : undefined
  return [
    what,
    humanBytes(BigInt(doneBytes)) +
      (percent === undefined ? '' : ` of ${humanBytes(BigInt(totalBytes ?? 0))} (${percent} %)`),
    ...(bytesPerSecond > 0 ? [`${humanBytes(bytesPerSecond)}/s`] : []),
    ...(leftMs !== null && leftMs > 0 ? [`${humanDuration(leftMs)} left`] : []),
  ].join('  ')
}
