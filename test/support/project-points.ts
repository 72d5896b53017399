/** A project with points to restore, and looks at what a pool then has. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createProjectHere } from '../../daemon/projects/create.ts'
import type { ProjectHost } from '../../daemon/projects/host.ts'
import { snapshotProject } from '../../daemon/projects/snapshot.ts'
import { listDatasets } from '../../native/zfs/list.ts'
import { lastPart } from '../../native/zfs/names.ts'
import { type Guid, projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { type PoolWorld, projectHost } from './project-host.ts'

export type MemoryStore = ReturnType<typeof memoryStore>

export const P = projectId('p1')

export async function rejected(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it was not rejected')
}

export const read = (path: string): Promise<string> => readFile(join(path, 'file'), 'utf8')
export const write = (path: string, text: string): Promise<void> => writeFile(join(path, 'file'), text)

export interface Points {
  readonly host: ProjectHost
  readonly store: MemoryStore
  /** Where the project is mounted. */
  readonly path: string
  readonly one: Guid
  readonly two: Guid
}

/** Two points, `one` and `two`, and `three` in the live dataset alone. */
export function withPoints(
  withWorld: (body: (world: PoolWorld) => Promise<void>) => Promise<void>,
  body: (points: Points) => Promise<void>,
): Promise<void> {
  return withWorld(async (world) => {
    const store = memoryStore()
    const host = await projectHost(world, store)
    const { path } = await createProjectHere(host, P)
    await write(path, 'one')
    const one = await snapshotProject(host, P)
    await write(path, 'two')
    const two = await snapshotProject(host, P)
    await write(path, 'three')
    await body({ host, path, store, one, two })
  })
}

/** All that a pool has, without its snapshots. */
export async function datasets({ zfs, parent }: ProjectHost): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of listDatasets(zfs, parent)) names.push(lastPart(name))
  return names.sort()
}
