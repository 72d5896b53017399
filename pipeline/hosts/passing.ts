/**
 * Hosts that are there for one piece of work: a process that writes to a store without being a host's daemon. Its id
 * is its session too, so it has one session ever: when the process is gone, nobody will come back under that id.
 */
import { newHostId, sessionId } from '../base/ids.ts'
import type { HostIdentity } from './session.ts'
import type { HostRow, ProcessIdentity } from './state.ts'

export function passingIdentity(name: string, process: ProcessIdentity | null): HostIdentity {
  const host = newHostId()
  return { host, session: sessionId(host), name, process }
}

/** True where the row is of such a host. A daemon draws its session at each start, so never the same as its id. */
export function isPassing(row: HostRow): boolean {
  return (row.session as string) === row.host
}
