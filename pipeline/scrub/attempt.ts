/** What could not be looked at becomes a finding, and the scrub goes on with the rest. */
import { messageOf, TidepoolError } from '../base/errors.ts'
import type { ProjectId, WriteId } from '../base/ids.ts'
import type { UncheckedFinding } from './findings.ts'
import type { Run } from './settings.ts'

/**
 * Throws where the scrub itself was told to stop: that is no finding. The project that it is about keeps everything for
 * the rest of this run.
 */
export function unchecked(
  { signal, spoiled }: Pick<Run, 'signal' | 'spoiled'>,
  what: string,
  error: unknown,
  of: { readonly project?: ProjectId | null; readonly writeId?: WriteId | null } = {},
): UncheckedFinding {
  signal?.throwIfAborted()
  if (of.project) spoiled.add(of.project)
  const why = messageOf(error)
  const hint = error instanceof TidepoolError ? error.hint : undefined
  return {
    kind: 'unchecked',
    project: of.project ?? null,
    writeId: of.writeId ?? null,
    message: `${what} could not be looked at: ${why}`,
    hint: hint ?? 'Nothing of it is deleted in this run; scrub again once the store answers.',
    action: 'none',
    error,
  }
}
