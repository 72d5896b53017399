/** Marks on points that only people set and take away: pins, and what they have seen of side points and rollbacks. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'
import { readProject, settle } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import type { Transaction } from '../../pipeline/graph/transaction.ts'
import { acknowledgePoints, keepPoint } from '../../pipeline/graph/transitions/points.ts'
import type { ActOptions, ProjectHost } from './host.ts'

type Marking = Pick<ProjectHost, 'store'>

/** Saves come in between, each once a minute at most. */
const TRIES = 5

/** It stays restorable, whatever the policy says. */
export const pinPoint = (host: Marking, id: ProjectId, point: Guid, options: ActOptions = {}) =>
  until(host, id, options, {
    done: ({ statics }) => statics.kept[point] === 'pinned',
    next: (project) => keepPoint(project, point, 'pinned'),
  })

/** The end of a pin; a mark that nobody has set by hand stays. */
export const unpinPoint = (host: Marking, id: ProjectId, point: Guid, options: ActOptions = {}) =>
  until(host, id, options, {
    done: (project) => {
      refuseUnknown(project, [point])
      return project.statics.kept[point] !== 'pinned'
    },
    next: (project) => acknowledgePoints(project, [point]),
  })

/** From now on the policy alone decides about these; points without a mark are passed over. Rejects with `point-unknown`. */
export const acknowledge = (
  host: Marking,
  id: ProjectId,
  points: readonly Guid[],
  options: ActOptions = {},
) =>
  until(host, id, options, {
    done: (project) => {
      refuseUnknown(project, points)
      return points.every((point) => project.statics.kept[point] === undefined)
    },
    next: (project) => acknowledgePoints(project, points),
  })

/** Nobody has seen what never was: most likely one digit is wrong, and the point that was meant would stay unseen. */
function refuseUnknown(project: Project, points: readonly Guid[]): void {
  const known = new Set([...project.rows.values()].map(({ to }) => to))
  const unknown = points.find((point) => !known.has(point) && project.statics.kept[point] === undefined)
  if (unknown === undefined) return
  throw new TidepoolError('point-unknown', `project ${project.id} has no point ${unknown}`, {
    hint: `\`tidepool history ${project.id}\` lists those that there are, with why each is kept.`,
  })
}

interface Wanted {
  readonly done: (project: Project) => boolean
  readonly next: (project: Project) => Transaction
}

/** Planned again after whatever came in between; done already is done. */
async function until(
  { store }: Marking,
  id: ProjectId,
  options: ActOptions,
  { done, next }: Wanted,
): Promise<Project> {
  let project = await readProject(store.catalogue, id, options)
  for (let tries = 0; tries < TRIES; tries++) {
    if (done(project)) return project
    project = await settle(store.catalogue, project, next(project), options)
  }
  if (done(project)) return project
  throw new TidepoolError(
    'project-busy',
    `project ${id} changed ${TRIES} times while its points were marked`,
    {
      temporary: true,
      hint: 'Try again.',
    },
  )
}
