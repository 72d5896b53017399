/** What a stream that somebody brings becomes in a project: the next head, a side point, or another way to a point. */
import { TidepoolError } from '../base/errors.ts'
import type { Guid } from '../base/ids.ts'
import { isReachable } from './plan.ts'
import type { Project } from './state.ts'
import { isPoint } from './transitions/points.ts'

/** `parallel`: its end is a point already, so it is one more edge to it and changes nothing else. */
export type Placement = 'head' | 'side' | 'parallel'

/**
 * A step that starts at the head moves it, and so does a first full stream. One from another reachable point, and a
 * full stream beside a head, is a side point. From nowhere is refused.
 */
export function placementOf(project: Project, from: Guid | null, to: Guid): Placement {
  const { head } = project.statics
  if (from === to)
    throw new TidepoolError('stream-to-itself', `a stream from ${from} to itself leads nowhere`, {
      hint: 'Send between two different snapshots.',
    })
  if (!isReachable(project, from))
    throw new TidepoolError(
      'base-unknown',
      `the stream starts at snapshot ${from}, which no committed streams of ${project.id} lead to`,
      {
        hint: `Put the stream that ends there first, or send from a point that \`tidepool stream graph ${project.id}\` shows, or send a full stream.`,
      },
    )
  if (isPoint(project, to)) return 'parallel'
  return from === head ? 'head' : 'side'
}
