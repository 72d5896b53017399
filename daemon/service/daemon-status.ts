/** The daemon in one line, for `systemctl status`: what is open, and what a loss of the pool would cost now. */
import { messageOf } from '../../pipeline/base/errors.ts'
import type { Engine } from '../projects/engine.ts'

/** So many are named, so that the line stays one. */
const NAMED = 3

export function daemonStatus({
  saves,
  membership,
}: {
  readonly saves: Pick<Engine['saves'], 'size' | 'failing' | 'longestUnsavedMs'>
  readonly membership: Pick<Engine['membership'], 'state'>
}): string {
  const parts = [`${saves.size} ${saves.size === 1 ? 'project' : 'projects'} open`]
  const { failing } = saves
  if (failing.length > 0) {
    const names = failing.slice(0, NAMED).map(({ id }) => id)
    const more = failing.length > NAMED ? ` and ${failing.length - NAMED} more` : ''
    parts.push(`NOT SAVED: ${names.join(', ')}${more}`)
  }
  if (saves.size > 0) parts.push(`all older than ${ago(saves.longestUnsavedMs)} is saved`)
  if (membership.state.kind !== 'live')
    parts.push(`saves and opens nothing: ${messageOf(membership.state.error)}`)
  return parts.join('; ')
}

/** In steps, so that a line that says nothing new is not told again. */
function ago(ms: number): string {
  const seconds = Math.ceil(ms / 10_000) * 10
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 120 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`
}
