/** Changes the properties of a project after it was made: in the store, and in the pool at once where it is there. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { settle } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { setProjectProperties } from '../../pipeline/graph/transitions.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { own } from './own.ts'
import {
  applyProperties,
  checkProperties,
  checkPropertyName,
  isSame,
  type ProjectProperties,
} from './properties.ts'
import { resident } from './resident.ts'

/** By name; null: as the pool has it. Those that are not named stay. */
export type PropertyChanges = Readonly<Record<string, string | null>>

/** Each time somebody else changed the project in between, a save of another host for instance. */
const ROUNDS = 5

/**
 * Rejects with `property-not-allowed` before anything is changed, with `owned-elsewhere` where another host would have to apply it. The
 * store first, unlike a quota: nothing in a pool refuses one for good, and where this ends before the pool has it the next open sets it.
 */
export function changeProperties(
  host: ProjectHost,
  id: ProjectId,
  changes: PropertyChanges,
  options: ActOptions = {},
): Promise<Project> {
  for (const [name, text] of Object.entries(changes))
    if (text === null) checkPropertyName(name)
    else checkProperties({ [name]: text })
  return host.locks.hold(id, 'properties', options.signal, async () => {
    host.mayAct()
    const project = await inStore(host, id, changes, options)
    const there = await resident(host, id, options)
    if (there) await applyProperties(host, there, project.statics.properties)
    return project
  })
}

async function inStore(
  host: ProjectHost,
  id: ProjectId,
  changes: PropertyChanges,
  options: ActOptions,
): Promise<Project> {
  for (let round = 0; round < ROUNDS; round++) {
    const project = await own(host, id, options)
    const wanted = changed(project.statics.properties, changes)
    if (isSame(project.statics.properties, wanted)) return project
    const after = await settle(host.store.catalogue, project, setProjectProperties(project, wanted), options)
    if (isSame(after.statics.properties, wanted)) return after
  }
  throw new TidepoolError(
    'project-busy',
    `project ${id} changed ${ROUNDS} times while its properties were set`,
    {
      temporary: true,
      hint: 'Something else works on the same project: see its events, and try again.',
    },
  )
}

function changed(before: ProjectProperties, changes: PropertyChanges): ProjectProperties {
  const after = new Map(Object.entries(before))
  for (const [name, text] of Object.entries(changes))
    if (text === null) after.delete(name)
    else after.set(name, text)
  return Object.fromEntries(after)
}
