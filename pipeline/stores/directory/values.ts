/**
 * The catalogue's keys, and its values as JSON text: sizes and counters as decimal text. A row's manifest stays the
 * text that it encodes itself to: the thread that writes never looks into one, and need not load what checks them.
 */
import { TidepoolError } from '../../base/errors.ts'
import type { HostId, ProjectId, WriteId } from '../../base/ids.ts'
import type { Statics, WriteRow } from '../../graph/state.ts'
import type { HostRow } from '../../hosts/state.ts'

/** Threads of all processes that read at one time; whoever opens the catalogue first after a quiet time sets it for all. */
export const MAX_READERS = 1024

export type Key = (string | number)[]

/** A project's rows stand together, so that it is read in one walk, and a transaction touches only those it names. */
export const keys = {
  project: (project: ProjectId): Key => ['project', project],
  row: (project: ProjectId, write: WriteId): Key => ['row', project, write],
  host: (host: HostId): Key => ['host', host],
  writing: (host: HostId, write: WriteId): Key => ['writing', host, write],
  log: (atMs: number, unique: string): Key => ['log', utcDay(atMs), atMs, unique],
  note: (name: string): Key => ['note', name],
  /** Projects whose `chain` file may be older than their rows. */
  chain: (project: ProjectId): Key => ['chain', project],
}

/** Everything under a prefix: `~` sorts behind whatever an id or a day is made of. */
export const under = (...prefix: string[]): { start: Key; end: Key } => ({
  start: prefix,
  end: [...prefix, '~'],
})

export const utcDay = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10)

export function encodeStatics(statics: Statics): string {
  return JSON.stringify(statics, decimal)
}

export function decodeStatics(text: string, project: ProjectId): Statics {
  const raw = parse<Statics>(text, `project ${project}`)
  return {
    ...raw,
    epoch: BigInt(raw.epoch),
    rev: BigInt(raw.rev),
    born: BigInt(raw.born),
    quotaBytes: raw.quotaBytes === null ? null : BigInt(raw.quotaBytes),
  }
}

/** A row with its manifest as text. */
export type StoredRow = Omit<WriteRow, 'manifest'> & { readonly manifest: string | null }

export const encodeStored = (row: StoredRow): string => JSON.stringify(row)

/** Never false for a committed row: a quotation mark inside any value would be escaped. */
export const mayBeCommitted = (text: string): boolean => text.includes('"state":"committed"')

export const decodeStored = (text: string): StoredRow => parse<StoredRow>(text, 'a write')

export function encodeHost(row: HostRow): string {
  return JSON.stringify(row, decimal)
}

export function decodeHost(text: string): HostRow {
  const raw = parse<HostRow>(text, 'a host')
  const { process } = raw
  return {
    ...raw,
    renewSeq: BigInt(raw.renewSeq),
    process: process && { ...process, startTicks: BigInt(process.startTicks) },
  }
}

function decimal(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

export function parse<Value>(text: string, what: string): Value {
  try {
    return JSON.parse(text) as Value
  } catch (cause) {
    throw new TidepoolError('catalogue-damaged', `${what} can't be read from the catalogue: it is not JSON`, {
      cause,
      hint: 'Look at the disk, then restore the catalogue from a backup; the streams themselves are plain files.',
    })
  }
}
