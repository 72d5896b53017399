/** Projects, rows and hosts as the contract suites make them, with values at the edges of what a store must keep. */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { inspect } from 'node:util'
import * as assert from 'uvu/assert'
import {
  type Guid,
  guid,
  newHostId,
  newSessionId,
  newWriteId,
  type ProjectId,
  projectId,
} from '../../pipeline/base/ids.ts'
import type { Project, Statics, WriteRow } from '../../pipeline/graph/state.ts'
import type { RowChange, StaticsCondition, Transaction } from '../../pipeline/graph/transaction.ts'
import type { HostRow } from '../../pipeline/hosts/state.ts'
import type { Manifest } from '../../pipeline/transfer/manifest.ts'

export const newProjectId = (): ProjectId => projectId(randomUUID())

/** Past 2^63, where a store that keeps GUIDs as signed numbers gives another one back. */
export const GREAT_GUID = guid(2n ** 64n - 1n)
/** Past 2^53, where a store that keeps sizes as JavaScript numbers gives another one back. */
export const ODD_BYTES = 2n ** 53n + 1n
/** The largest that a store has to keep. */
export const MOST_BYTES = 2n ** 63n - 1n

export function aStatics(changes: Partial<Statics> = {}): Statics {
  return {
    life: 'live',
    owner: null,
    epoch: 1n,
    rev: 1n,
    born: 1n,
    head: null,
    kept: {},
    quotaBytes: null,
    properties: {},
    uid: null,
    gid: null,
    lifeAtMs: Date.UTC(2026, 10, 22),
    ...changes,
  }
}

/** Every value given, none of them a round one. */
export function fullStatics(): Statics {
  return {
    life: 'destroyed',
    owner: newHostId(),
    epoch: ODD_BYTES,
    rev: MOST_BYTES,
    born: ODD_BYTES - 2n,
    head: GREAT_GUID,
    kept: { [GREAT_GUID]: 'side', [guid(1n)]: 'pinned', [guid(2n ** 63n)]: 'left-by-rollback' },
    quotaBytes: MOST_BYTES,
    properties: {
      'org.example:note': 'Grüße, 世界 🌊 "quoted" \\ \n second line',
      'com.example:empty': '',
      'x:long': 'é'.repeat(10_000),
    },
    uid: 2 ** 32 - 2,
    gid: 0,
    lifeAtMs: Date.UTC(2026, 10, 22, 9, 8, 7, 6),
  }
}

export function aRow(changes: Partial<WriteRow> = {}): WriteRow {
  return {
    writeId: newWriteId(),
    from: null,
    to: GREAT_GUID,
    host: newHostId(),
    session: newSessionId(),
    side: false,
    state: 'writing',
    chunkBytes: 512 * 1024,
    seqHigh: 0,
    begunAtMs: Date.UTC(2026, 10, 22, 1, 2, 3, 4),
    changedAtMs: Date.UTC(2026, 10, 22, 1, 2, 3, 5),
    committedAtMs: null,
    manifest: null,
    ...changes,
  }
}

export function aManifest(changes: Partial<Manifest> = {}): Manifest {
  return {
    version: 1,
    codec: 'none',
    bytes: ODD_BYTES,
    chunkBytes: 512 * 1024,
    chunkCount: 2 ** 31 - 1,
    rootDigest: '0123456789abcdef'.repeat(4),
    stream: {
      toName: 'pool/größe@2026-11-22T09:00:00Z',
      createdAtMs: Date.UTC(2026, 10, 22),
      byteOrder: 'little',
      features: ['large_blocks', 'lz4'],
      logicalBytes: MOST_BYTES,
      records: { write: 12345678901234567n, object: 3n },
    },
    usage: { referencedBytes: ODD_BYTES, usedBytes: 0n },
    ...changes,
  }
}

export function committed(row: WriteRow): WriteRow {
  return { ...row, state: 'committed', committedAtMs: row.begunAtMs + 1000, manifest: aManifest() }
}

export function aHost(changes: Partial<HostRow> = {}): HostRow {
  return {
    host: newHostId(),
    session: newSessionId(),
    state: 'live',
    renewSeq: 0n,
    returning: true,
    name: 'größe-1.example',
    process: { bootId: randomUUID(), pid: 2 ** 22, startTicks: ODD_BYTES },
    changedAtMs: Date.UTC(2026, 10, 22, 5, 6, 7, 8),
    ...changes,
  }
}

export function creation(id: ProjectId, set: Statics, rows: readonly RowChange[] = []): Transaction {
  return { project: id, what: `creation of ${id}`, if: 'absent', set, rows }
}

export function change(
  id: ProjectId,
  condition: StaticsCondition,
  set: Partial<Statics>,
  rows: readonly RowChange[] = [],
): Transaction {
  return { project: id, what: `change of ${id}`, if: condition, set, rows }
}

export function aProject(id: ProjectId, statics: Statics, rows: readonly WriteRow[] = []): Project {
  return { id, statics, rows: new Map(rows.map((row) => [row.writeId, row])) }
}

/** Compares as text: uvu's own difference of two values fails on a bigint, and a Map's order says nothing here. */
export function same(actual: unknown, expected: unknown, message?: string): void {
  assert.is(asText(actual), asText(expected), message)
}

function asText(value: unknown): string {
  return inspect(value, {
    sorted: true,
    depth: Number.POSITIVE_INFINITY,
    maxArrayLength: null,
    maxStringLength: null,
    breakLength: 100,
  })
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

/** A list is a hint: far from where it was decided, what is new may be in it a moment later. */
export async function listedAtLast<T>(look: () => Promise<T[]>, count: number): Promise<T[]> {
  const untilMs = Date.now() + 10_000
  let listed = await look()
  while (listed.length < count && Date.now() < untilMs) {
    await setTimeout(100)
    listed = await look()
  }
  return listed
}

/** What a promise rejects with; resolving is a failure. */
export async function rejection<E = unknown>(promise: Promise<unknown>, what = 'it'): Promise<E> {
  try {
    await promise
  } catch (error) {
    return error as E
  }
  throw new Error(`${what} did not reject`)
}

export const guids = (...numbers: number[]): Guid[] => numbers.map((number) => guid(BigInt(number)))
