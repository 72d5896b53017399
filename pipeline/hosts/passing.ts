/**
 * Hosts that are there for one piece of work: a process that writes to a store without being a host's daemon. Their
 * ids come from a small pool that all machines share, so that a put every minute does not leave a row a minute for
 * ever: whoever needs one takes the id of one that has ended, under a session of its own.
 */
import { randomUUID } from 'node:crypto'
import { OutcomeUnknownError } from '../base/errors.ts'
import { type HostId, hostId, newSessionId } from '../base/ids.ts'
import type { CallOptions, Catalogue } from '../stores/contract.ts'
import { type HostIdentity, type Registration, registerHost, registration } from './session.ts'
import type { HostRow, ProcessIdentity } from './state.ts'

export interface Passing extends Registration {
  readonly identity: HostIdentity
}

/** Looked at in turn until one is free: mostly the first, and a store with 200 puts at once has about 256 rows. */
const POOLS = [16, 16, 16, 16, 256, 256, 256, 256]

/** Registers a session that no other can be mixed up with. Never takes the id of a host that may be alive. */
export async function registerPassing(
  catalogue: Catalogue,
  { name, process }: { readonly name: string; readonly process: ProcessIdentity | null },
  options: CallOptions & { readonly random?: () => number } = {},
): Promise<Passing> {
  const { random = Math.random } = options
  for (const size of POOLS) {
    const host = pooledHost(Math.floor(random() * size))
    const row = await catalogue.readHost(host, options)
    // Also where its process is gone: it may own a project still, which would then seem to be ours.
    if (row?.state === 'live') continue
    const identity: HostIdentity = { host, session: newSessionId(), name, process }
    const now = await claim(catalogue, identity, row, options)
    if (now) return { identity, row: now, returned: row !== undefined }
  }
  const identity: HostIdentity = { host: freshHost(), session: newSessionId(), name, process }
  return { identity, ...(await registerHost(catalogue, identity, options)) }
}

/** True where the row is of such a host: nobody will come back under its session once its process is gone. */
export function isPassing(row: HostRow): boolean {
  return row.host[VERSION_AT] === '5'
}

/** A daemon draws its id at random, which is version 4 of a UUID; these are told apart by the version. */
const VERSION_AT = 14

function pooledHost(number: number): HostId {
  return hostId(`00000000-0000-5000-8000-${number.toString(16).padStart(12, '0')}`)
}

function freshHost(): HostId {
  const id = randomUUID()
  return hostId(`${id.slice(0, VERSION_AT)}5${id.slice(VERSION_AT + 1)}`)
}

/** The row where it is ours now; one that another was quicker to take stays theirs. */
async function claim(
  catalogue: Catalogue,
  identity: HostIdentity,
  row: HostRow | undefined,
  options: CallOptions,
): Promise<HostRow | undefined> {
  const changedAtMs = await catalogue.nowMs(options)
  try {
    if (!(await catalogue.applyHost(registration(identity, row, changedAtMs), options))) return undefined
  } catch (error) {
    // Where it arrives only after the next look, it holds a place of the pool until this process is gone.
    if (!(error instanceof OutcomeUnknownError)) throw error
  }
  const now = await catalogue.readHost(identity.host, options)
  return now?.session === identity.session && now.state === 'live' ? now : undefined
}
