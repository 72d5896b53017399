/** Values of ours as the driver takes and gives them. */
import type { types } from 'cassandra-driver'
import { TidepoolError } from '../../base/errors.ts'
import type { Guid, HostId, ProjectId, SessionId, WriteId } from '../../base/ids.ts'
import type { KeptReason, Life, Statics, WriteRow, WriteState } from '../../graph/state.ts'
import type { HostRow, HostState } from '../../hosts/state.ts'
import { decodeManifest, encodeManifest } from '../../transfer/manifest.ts'

/** A column's name and its value for the driver. */
export type Assignment = readonly [column: string, value: unknown]

const MAX_BIGINT = 2n ** 63n - 1n

/** The number itself, refused where the driver would wrap it silently. */
export function bigintOf(value: bigint, what: string): bigint {
  if (value >= -MAX_BIGINT - 1n && value <= MAX_BIGINT) return value
  throw new TidepoolError('number-out-of-range', `${what} is ${value}, which a store does not hold`, {
    hint: 'Numbers go to 2^63 - 1: check where this one comes from.',
  })
}

const nullable = <T, U>(value: T | null, change: (value: T) => U): U | null =>
  value === null ? null : change(value)
const time = (ms: number): Date => new Date(ms)
const map = (values: Readonly<Record<string, string>>): Map<string, string> => new Map(Object.entries(values))

const STATICS: { readonly [K in keyof Statics]: (value: Statics[K]) => Assignment } = {
  life: (value) => ['life', value],
  owner: (value) => ['owner', value],
  epoch: (value) => ['epoch', bigintOf(value, 'the epoch')],
  rev: (value) => ['rev', bigintOf(value, 'the rev')],
  born: (value) => ['born', bigintOf(value, 'the epoch of creation')],
  head: (value) => ['head', value],
  kept: (value) => ['kept', map(value)],
  quotaBytes: (value) => ['quota_bytes', nullable(value, (bytes) => bigintOf(bytes, 'the quota'))],
  properties: (value) => ['properties', map(value)],
  uid: (value) => ['uid', nullable(value, BigInt)],
  gid: (value) => ['gid', nullable(value, BigInt)],
  lifeAtMs: (value) => ['life_at', time(value)],
}

const ROW: { readonly [K in Exclude<keyof WriteRow, 'writeId'>]: (value: WriteRow[K]) => Assignment } = {
  from: (value) => ['from_guid', value],
  to: (value) => ['to_guid', value],
  host: (value) => ['host', value],
  session: (value) => ['session', value],
  side: (value) => ['side', value],
  state: (value) => ['state', value],
  chunkBytes: (value) => ['chunk_bytes', value],
  seqHigh: (value) => ['seq_high', value],
  begunAtMs: (value) => ['begun_at', time(value)],
  changedAtMs: (value) => ['changed_at', time(value)],
  committedAtMs: (value) => ['committed_at', nullable(value, time)],
  manifest: (value) => ['manifest', nullable(value, encodeManifest)],
}

const HOST: { readonly [K in Exclude<keyof HostRow, 'host'>]: (value: HostRow[K]) => readonly Assignment[] } =
  {
    session: (value) => [['session', value]],
    state: (value) => [['state', value]],
    renewSeq: (value) => [['renew_seq', bigintOf(value, 'the number of renewals')]],
    returning: (value) => [['returning', value]],
    name: (value) => [['name', value]],
    process: (value) => [
      ['boot_id', value?.bootId ?? null],
      ['pid', value && BigInt(value.pid)],
      ['start_ticks', value && bigintOf(value.startTicks, "the process's start")],
    ],
    changedAtMs: (value) => [['changed_at', time(value)]],
  }

/** In the order of the columns, whatever order the caller named them in: one statement a set of names. */
function assigned<T extends object, A>(
  codec: { readonly [K in keyof T]: (value: T[K]) => A },
  set: Partial<T>,
): A[] {
  const names = (Object.keys(codec) as (keyof T)[]).filter((name) => set[name] !== undefined)
  return names.map((name) => codec[name](set[name] as T[typeof name]))
}

export const staticsColumns = (set: Partial<Statics>): Assignment[] =>
  assigned<Statics, Assignment>(STATICS, set)
export const rowColumns = (set: Partial<Omit<WriteRow, 'writeId'>>): Assignment[] =>
  assigned<Omit<WriteRow, 'writeId'>, Assignment>(ROW, set)
export const hostColumns = (set: Partial<HostRow>): Assignment[] =>
  assigned<Omit<HostRow, 'host'>, readonly Assignment[]>(HOST, set).flat()

const NO_VALUES = new Map<string, string>()
const ms = (value: Date | null): number => (value as Date).getTime()
const record = <V extends string>(value: Map<string, string> | null): Record<string, V> =>
  Object.fromEntries(value ?? NO_VALUES) as Record<string, V>
const number = (value: bigint | null): number | null => nullable(value, Number)

export function toStatics(row: types.Row): Statics {
  return {
    life: row.get('life') as Life,
    owner: row.get('owner') as HostId | null,
    epoch: row.get('epoch') as bigint,
    rev: row.get('rev') as bigint,
    born: row.get('born') as bigint,
    head: row.get('head') as Guid | null,
    kept: record<KeptReason>(row.get('kept')),
    quotaBytes: row.get('quota_bytes') as bigint | null,
    properties: record<string>(row.get('properties')),
    uid: number(row.get('uid')),
    gid: number(row.get('gid')),
    lifeAtMs: ms(row.get('life_at')),
  }
}

export function toWriteRow(row: types.Row): WriteRow {
  const writeId = row.get('write_id') as WriteId
  return {
    writeId,
    from: row.get('from_guid') as Guid | null,
    to: row.get('to_guid') as Guid,
    host: row.get('host') as HostId,
    session: row.get('session') as SessionId,
    side: row.get('side') as boolean,
    state: row.get('state') as WriteState,
    chunkBytes: row.get('chunk_bytes') as number,
    seqHigh: row.get('seq_high') as number,
    begunAtMs: ms(row.get('begun_at')),
    changedAtMs: ms(row.get('changed_at')),
    committedAtMs: nullable(row.get('committed_at') as Date | null, ms),
    manifest: nullable(row.get('manifest') as string | null, (text) =>
      decodeManifest(text, `write ${writeId}`),
    ),
  }
}

export function toHostRow(row: types.Row): HostRow {
  const bootId = row.get('boot_id') as string | null
  return {
    host: row.get('host_id') as HostId,
    session: row.get('session') as SessionId,
    state: row.get('state') as HostState,
    renewSeq: row.get('renew_seq') as bigint,
    returning: row.get('returning') as boolean,
    name: row.get('name') as string,
    process: nullable(bootId, (bootId) => ({
      bootId,
      pid: Number(row.get('pid')),
      startTicks: row.get('start_ticks') as bigint,
    })),
    changedAtMs: ms(row.get('changed_at')),
  }
}

export const toProjectId = (row: types.Row): ProjectId => row.get('project_id') as ProjectId
