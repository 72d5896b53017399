/** Changes the properties of a project after it was made: in the store, and in the pool at once where it is there. */
import { messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { settle } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { setProjectProperties } from '../../pipeline/graph/transitions/life.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { own } from './own.ts'
import {
  applyProperties,
  checkProperties,
  checkPropertyName,
  isSame,
  type ProjectProperties,
} from './properties.ts'
import { type Resident, resident } from './resident.ts'
import { whileOwned } from './while-owned.ts'

/** By name; null: as the pool has it. Those that are not named stay. */
export type PropertyChanges = Readonly<Record<string, string | null>>

/** Each time somebody else changed the project in between, a save of another host for instance. */
const ROUNDS = 5

/**
 * Rejects with `property-not-allowed` before anything is changed, with `owned-elsewhere` where another host would have to apply it. The
 * store first, unlike a quota: nothing in a pool refuses one for good, and where this ends before the pool has it the next open sets it.
 */
export async function changeProperties(
  host: ProjectHost,
  id: ProjectId,
  changes: PropertyChanges,
  options: ActOptions = {},
): Promise<Project> {
  for (const [name, text] of Object.entries(changes))
    if (text === null) checkPropertyName(name)
    else checkProperties({ [name]: text })
  return host.locks.hold(id, 'properties', options.signal, () => {
    host.mayAct()
    return whileOwned(host, id, options, async (owned) => {
      const project = await inStore(host, owned, changes, options)
      const there = await resident(host, id, options)
      if (there) await inPool(host, there, project.statics.properties)
      return project
    })
  })
}

async function inStore(
  host: ProjectHost,
  owned: Project,
  changes: PropertyChanges,
  options: ActOptions,
): Promise<Project> {
  const { id } = owned
  let project = owned
  for (let round = 0; round < ROUNDS; round++) {
    const wanted = changed(project.statics.properties, changes)
    if (isSame(project.statics.properties, wanted)) return project
    const after = await settle(host.store.catalogue, project, setProjectProperties(project, wanted), options)
    if (isSame(after.statics.properties, wanted)) return after
    project = await own(host, id, { ...options, known: after })
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

/** `readonly` is one that OpenZFS sets, and says that it could not while somebody writes there. */
async function inPool(host: ProjectHost, there: Resident, properties: ProjectProperties): Promise<void> {
  try {
    await applyProperties(host, there, properties)
  } catch (error) {
    if (!(error instanceof TidepoolError)) throw error
    throw new TidepoolError(
      error.code,
      `the properties of ${there.id} are in the store, and not in force here: ${messageOf(error)}`,
      {
        hint: 'Try again, or open it anew: each open sets them.',
        cause: error,
        facts: error.facts,
        temporary: error.temporary,
      },
    )
  }
}

function changed(before: ProjectProperties, changes: PropertyChanges): ProjectProperties {
  const after = new Map(Object.entries(before))
  for (const [name, text] of Object.entries(changes))
    if (text === null) after.delete(name)
    else after.set(name, text)
  return Object.fromEntries(after)
}
