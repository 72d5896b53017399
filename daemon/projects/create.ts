/** Makes a project: a row in the store that names this host its owner, then, as for any other, an open. */
import { OutcomeUnknownError, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { settle } from '../../pipeline/graph/settle.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import { createProject, recreateProject } from '../../pipeline/graph/transitions/life.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { type Opened, openLocked } from './open.ts'
import { checkProperties, isSame } from './properties.ts'
import { checkQuota } from './quota.ts'
import { resident } from './resident.ts'

export interface CreateOptions extends ActOptions {
  readonly quotaBytes?: bigint
  readonly properties?: Readonly<Record<string, string>>
  /** Whose the root of the project is. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  /** It may have been made by this very call, whose answer was lost: what is there and fresh, and as it is asked for, is then as good. */
  readonly again?: boolean
}

/** Rejects with `project-exists` where there is one, also of another host. The same id may be used again after a purge. */
export async function createProjectHere(
  host: ProjectHost,
  id: ProjectId,
  options: CreateOptions = {},
): Promise<Opened> {
  const { quotaBytes, properties = {}, owner } = options
  checkProperties(properties)
  if (quotaBytes !== undefined) checkQuota(quotaBytes)
  if (
    owner &&
    ![owner.uid, owner.gid].every((number) => Number.isInteger(number) && number >= 0 && number < 2 ** 32 - 1)
  )
    throw new TidepoolError('bad-owner', `${owner.uid}:${owner.gid} is no uid and gid`, {
      hint: 'Give two numbers, such as 1000:1000.',
    })
  return host.locks.hold(id, 'create', options.signal, async () => {
    host.mayAct()
    // What is in its place is not ours: no id is taken for a project that could not be opened here.
    await resident(host, id, options)
    await insert(host, id, options)
    return openLocked(host, id, options)
  })
}

async function insert(host: ProjectHost, id: ProjectId, options: CreateOptions): Promise<void> {
  const { catalogue } = host.store
  const { quotaBytes, properties, owner } = options
  const nowMs = await catalogue.nowMs(options)
  const there = await catalogue.read(id, options)
  if (there && there.statics.life !== 'purged') {
    if (options.again && isFresh(host, there) && isAsAsked(there, options)) return
    throw exists(id, there.statics.life)
  }
  const set = {
    owner: host.host,
    nowMs,
    ...(quotaBytes !== undefined && { quotaBytes }),
    ...(properties && { properties }),
    ...(owner && { uid: owner.uid, gid: owner.gid }),
  }
  if (there) {
    const after = await settle(catalogue, there, recreateProject(there, set), options)
    if (after.statics.life !== 'live' || after.statics.owner !== host.host)
      throw exists(id, after.statics.life)
    return
  }
  try {
    if (await catalogue.apply(createProject(id, set), options)) return
  } catch (error) {
    if (!(error instanceof OutcomeUnknownError)) throw error
  }
  // A false or lost answer: it may be ours. A fresh project of ours has no writes, and is as good as one we just made.
  const now = await catalogue.read(id, options)
  if (!now) throw new OutcomeUnknownError(`creation of project ${id}`)
  if (!isFresh(host, now)) throw exists(id, now.statics.life)
}

/** Ours, and nothing was ever written to it. */
const isFresh = (host: ProjectHost, { statics, rows }: Project): boolean =>
  statics.life === 'live' && statics.owner === host.host && statics.head === null && rows.size === 0

function isAsAsked({ statics }: Project, { quotaBytes, properties, owner }: CreateOptions): boolean {
  return (
    statics.quotaBytes === (quotaBytes ?? null) &&
    statics.uid === (owner?.uid ?? null) &&
    statics.gid === (owner?.gid ?? null) &&
    isSame(statics.properties, properties ?? {})
  )
}

function exists(id: ProjectId, life: string): TidepoolError {
  return new TidepoolError('project-exists', `there is a project ${id} already (${life})`, {
    hint:
      life === 'destroyed'
        ? `Have it back by an undelete, or choose another id; its own is free once it is purged.`
        : 'Choose another id, or open that one.',
  })
}
