/** Points of a project as people name them: by GUID, or by the moment that is meant. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { type Guid, guid, type ProjectId } from '../../pipeline/base/ids.ts'
import { parseDuration } from './units.ts'

const GUID = /^[0-9]{1,20}$/
const AGO = /^\d+(?:\.\d+)?(?:ms|s|m|min|h|d)$/

/** As the API takes it: `2026-11-27T10:00`, in this machine's time where it has no offset; `2h`, `7d` ago. */
export function momentOf(text: string, nowMs = Date.now()): string {
  const ms = AGO.test(text) ? nowMs - parseDuration(text) : Date.parse(text)
  if (!Number.isNaN(ms)) return new Date(ms).toISOString()
  throw new TidepoolError('bad-time', `${JSON.stringify(text)} is no time`, {
    hint: 'Write it as 2026-11-27T10:00, with its offset as 2026-11-27T10:00+01:00, or as 2h or 7d for so long ago.',
  })
}

export const isGuid = (text: string): boolean => GUID.test(text)

/** Before the daemon is asked: what can't be one is wrong usage. */
export function pointOf(id: ProjectId, text: string): Guid {
  try {
    return guid(text)
  } catch (cause) {
    throw new TidepoolError('bad-point', `${JSON.stringify(text)} is no GUID of a point`, {
      cause,
      hint: `\`tidepool history ${id}\` lists the points that there are.`,
    })
  }
}
