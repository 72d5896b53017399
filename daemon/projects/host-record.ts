/**
 * Who this host is, kept in its own state directory: its id, drawn once, and the sessions that it has ever begun, so that
 * what an earlier one left half-done is known to be its own, and over (rules 13, 16).
 */
import { join } from 'node:path'
import { z } from 'zod'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import {
  type HostId,
  hostId,
  newHostId,
  newSessionId,
  type SessionId,
  sessionId,
} from '../../pipeline/base/ids.ts'
import { readStateFile, writeStateFile } from './state-file.ts'

export interface HostRecord {
  readonly host: HostId
  /** Draws a session; it is durable here before this resolves. All before it are over. */
  newSession(): Promise<SessionId>
  /** Whether a session is an earlier one of this host. False of what was never recorded here. */
  isEnded(session: SessionId): boolean
}

const FILE = 'host.json'
/** What older ones left was ended by one of the starts since. */
const SESSIONS_KEPT = 1000

const uuid = z.uuid().toLowerCase()
const schema = z.object({ host: uuid, sessions: z.array(uuid) })

/**
 * One process at a time: the pool's lock is held. Rejects with `host-record-damaged` rather than become another host. A
 * directory that is there already keeps its mode, which may be somebody's wish; the record in it is its owner's alone.
 */
export async function openHostRecord(directory: string): Promise<HostRecord> {
  const file = join(directory, FILE)
  const known = await readRecord(file)
  const host = known?.host ?? newHostId()
  let sessions = known?.sessions ?? []
  let current: SessionId | undefined
  const record = async (next: readonly SessionId[]): Promise<void> => {
    await writeStateFile(file, { host, sessions: next })
    sessions = next
  }
  if (!known) await record([])
  return {
    host,
    async newSession() {
      const session = newSessionId()
      await record([...sessions, session].slice(-SESSIONS_KEPT))
      current = session
      return session
    },
    isEnded: (session) => session !== current && sessions.includes(session),
  }
}

async function readRecord(
  file: string,
): Promise<{ readonly host: HostId; readonly sessions: readonly SessionId[] } | undefined> {
  try {
    const found = await readStateFile(file, schema)
    return found && { host: hostId(found.host), sessions: found.sessions.map(sessionId) }
  } catch (cause) {
    if (errnoOf(cause) !== undefined) throw cause
    throw new TidepoolError('host-record-damaged', `${file} does not say which host this is`, {
      cause,
      hint: 'Restore it from a backup. Without it this machine is another host: remove the file only if that is meant; the projects of the old one are then taken over like those of a dead host.',
    })
  }
}
