/** Names that were checked and have become types of their own: what has the type needs no second check. */
import { randomUUID } from 'node:crypto'
import { TidepoolError } from './errors.ts'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** `[a-z0-9][a-z0-9-]{0,62}`: also a file name, a dataset's name and a partition key. */
export type ProjectId = Branded<'project'>
/** One attempt to store a stream; drawn at random, never used again, whatever happens. */
export type WriteId = Branded<'write'>
export type HostId = Branded<'host'>
/** Drawn at each start of a host: tells two processes with one host id apart. */
export type SessionId = Branded<'session'>
/** A snapshot's GUID: unsigned 64 bits, kept as decimal text because no table has that type. */
export type Guid = Branded<'guid'>

const PROJECT = /^[a-z0-9][a-z0-9-]{0,62}$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const MAX_GUID = 2n ** 64n - 1n

function refuse(kind: string, text: string, rule: string): never {
  throw new TidepoolError('bad-id', `${JSON.stringify(text.slice(0, 100))} is not a ${kind}`, { hint: rule })
}

export function projectId(text: string): ProjectId {
  if (!PROJECT.test(text))
    refuse('project id', text, 'Use 1 to 63 lower-case letters, digits and dashes, not starting with a dash.')
  return text as ProjectId
}

function uuid(kind: string, text: string): string {
  if (!UUID.test(text)) refuse(kind, text, `A ${kind} is a UUID in lower case, as the lists print it.`)
  return text
}

export const writeId = (text: string): WriteId => uuid('write id', text) as WriteId
export const hostId = (text: string): HostId => uuid('host id', text) as HostId
export const sessionId = (text: string): SessionId => uuid('session id', text) as SessionId
export const newWriteId = (): WriteId => randomUUID() as string as WriteId
export const newHostId = (): HostId => randomUUID() as string as HostId
export const newSessionId = (): SessionId => randomUUID() as string as SessionId

/** Accepts what ZFS prints and what the stream carries; 0 is ZFS's word for "none" and is refused here. */
export function guid(value: bigint | string): Guid {
  const number = typeof value === 'bigint' ? value : /^[0-9]{1,20}$/.test(value) ? BigInt(value) : -1n
  if (number <= 0n || number > MAX_GUID)
    refuse(
      'snapshot GUID',
      String(value),
      'A GUID is a decimal number from 1 to 2^64-1, as `zfs get guid` prints it.',
    )
  return String(number) as Guid
}
