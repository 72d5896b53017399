/** A store with a write in every state, the guard that stands before its chunks, and what must be left in the end. */
import * as assert from 'uvu/assert'
import type { ProjectId, WriteId } from '../../pipeline/base/ids.ts'
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import type { Transaction } from '../../pipeline/graph/transaction.ts'
import { destroyProject, startPurge } from '../../pipeline/graph/transitions/life.ts'
import { endHost } from '../../pipeline/hosts/session.ts'
import type { ScrubOptions } from '../../pipeline/scrub/settings.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { DAY_MS, HOUR_MS, type Scrubbed, World } from './scrub-world.ts'

/** Every write by a name, so that two worlds with other ids can be compared. */
export interface Messy {
  readonly world: World
  readonly names: Map<WriteId, string>
  /** What the guard saw go that must not: a scrub makes a finding of whatever is thrown at it. */
  readonly violations: string[]
}

export async function messyWorld(): Promise<Messy> {
  const world = await World.make()
  const names = new Map<WriteId, string>()
  const name = <R extends { writeId: WriteId }>(as: string, row: R): R => {
    names.set(row.writeId, as)
    return row
  }
  const p = await world.project('p')
  const put = await world.newHost('put')
  name('full', await world.commit(p, { to: 1 }))
  const expired = name('expired', await world.commit(p, { to: 1, side: true }))
  await world.supersede(p, expired)
  await world.clock.advance(2 * DAY_MS)
  name('step', await world.commit(p, { from: 1, to: 2 }))
  await world.supersede(p, name('in grace', await world.commit(p, { to: 2, side: true })))
  const going = name('deleting', await world.commit(p, { to: 2, side: true }))
  await world.supersede(p, going)
  await world.markDeleting(p, going)
  await world.abort(p, name('aborted', await world.begin(p, { from: 2, to: 3, host: put })))
  name('stale', await world.begin(p, { from: 2, to: 4, host: put }))
  const late = name('without intent', world.aRow({ from: 2, to: 5, host: put }))
  await world.store.catalogue.noteWriting(put.host, { project: p, row: late })
  const unlisted = name('unlisted', await world.begin(p, { from: 2, to: 6, host: put }))
  await world.store.catalogue.forgetWriting(put.host, unlisted.writeId)
  name('in progress', await world.begin(p, { from: 2, to: 7 }))
  await endHost(world.store.catalogue, put)

  const q = await world.project('q')
  name('q full', await world.commit(q, { to: 1 }))
  name('q dear', await world.commit(q, { to: 1, chunks: 8, side: true }))
  const orphan = name('orphan', world.aRow({ to: 9 }))
  await world.putChunks(q, orphan)

  const gone = await world.project('gone')
  name('g1', await world.commit(gone, { to: 1 }))
  name('g2', await world.begin(gone, { from: 1, to: 2, host: put }))
  await world.apply(destroyProject(world.read(gone), world.clock.wallMs() - 40 * DAY_MS))
  const half = await world.project('half')
  name('h1', await world.commit(half, { to: 1 }))
  name('h2', await world.commit(half, { from: 1, to: 2 }))
  await world.apply(destroyProject(world.read(half), world.clock.wallMs()))
  await world.apply(startPurge(world.read(half), world.clock.wallMs()))
  await world.markDeleting(half, world.read(half).rows.values().next().value as WriteRow)
  return { world, names, violations: [] }
}

export function endState({ world, names }: Messy): unknown {
  const named = (writeId: WriteId): string => names.get(writeId) ?? 'later'
  const sorted = (pairs: Iterable<readonly [string, unknown]>) =>
    Object.fromEntries([...pairs].sort(([a], [b]) => (a < b ? -1 : 1)))
  return {
    projects: sorted(
      [...world.state.projects.values()].map(({ id, statics, rows }) => [
        id,
        {
          life: statics.life,
          rows: sorted([...rows.values()].map((row) => [named(row.writeId), row.state])),
        },
      ]),
    ),
    blobs: sorted([...world.state.blobs].map(([id, { chunks }]) => [named(id), chunks.size])),
    entries: [...world.state.writing.values()].flatMap((entries) => [...entries.keys()].map(named)).sort(),
    notes: [...world.state.notes.keys()],
  }
}

/** Watches the moments at which chunks go, and at which those that may still be read are marked. */
export function guarded({ world, names, violations }: Messy): Store {
  const mayGo = (project: ProjectId | null, writeId: WriteId | null): void => {
    const row = project && writeId ? world.state.projects.get(project)?.rows.get(writeId) : undefined
    const state = row?.state
    if (state !== undefined && !['aborted', 'deleting', 'deleted'].includes(state))
      violations.push(`chunks of ${writeId && names.get(writeId)} went while it was ${state}`)
  }
  const { blobs, catalogue } = world.store
  const mayMark = ({ rows }: Transaction, project: Project): void => {
    for (const change of rows) {
      const row = change.kind === 'update' ? project.rows.get(change.writeId) : undefined
      const isMarked = change.kind === 'update' && change.set.state === 'deleting'
      if (!row || !isMarked || project.statics.life === 'purging') continue
      if (row.state !== 'superseded' || row.changedAtMs + DAY_MS > world.clock.wallMs())
        violations.push(`${names.get(row.writeId)} was marked within its grace, as ${row.state}`)
    }
  }
  return {
    ...world.store,
    catalogue: {
      ...catalogue,
      apply: async (transaction, options) => {
        const before = world.state.projects.get(transaction.project)
        const happened = await catalogue.apply(transaction, options)
        if (happened && before) mayMark(transaction, before)
        return happened
      },
    },
    blobs: {
      ...blobs,
      remove: async (write, options) => {
        mayGo(write.project, write.writeId)
        await blobs.remove(write, options)
      },
      removeStored: async (entry, options) => {
        mayGo(entry.project, entry.writeId)
        await blobs.removeStored(entry, options)
      },
    },
  }
}

const options: Partial<ScrubOptions> = { depth: 'deep', apply: true, checkpointEveryMs: 0 }

/** Beside a host that lives and renews itself. */
export async function scrubbed(
  messy: Messy,
  store: Store,
  more: Partial<ScrubOptions> = {},
): Promise<Scrubbed> {
  const stop = new AbortController()
  const alive = messy.world.keepAlive(messy.world.host, stop.signal)
  try {
    return await messy.world.scrub({ ...options, ...more }, store)
  } finally {
    stop.abort()
    await alive
  }
}

/** So often, and so far apart, that all that is to go has gone. */
export async function toTheEnd(messy: Messy): Promise<unknown> {
  const store = guarded(messy)
  for (const pauseMs of [2 * HOUR_MS, 2 * DAY_MS, 2 * HOUR_MS, 2 * DAY_MS, 0]) {
    const { findings, summary } = await scrubbed(messy, store)
    assert.ok(summary.complete, findings.find(({ kind }) => kind === 'unchecked')?.message ?? '')
    assert.is(summary.damagedWrites, 0)
    await messy.world.clock.advance(pauseMs)
  }
  assert.equal(messy.violations, [])
  return endState(messy)
}

/** Without faults, or with any. */
export const EXPECTED = {
  projects: {
    gone: { life: 'purged', rows: { g1: 'deleted', g2: 'deleted' } },
    half: { life: 'purged', rows: { h1: 'deleted', h2: 'deleted' } },
    p: {
      life: 'live',
      rows: {
        aborted: 'deleted',
        deleting: 'deleted',
        expired: 'deleted',
        full: 'committed',
        'in grace': 'deleted',
        'in progress': 'writing',
        stale: 'deleted',
        step: 'committed',
        unlisted: 'deleted',
        'without intent': 'deleted',
      },
    },
    q: { life: 'live', rows: { 'q dear': 'deleted', 'q full': 'committed' } },
  },
  blobs: { full: 3, 'in progress': 3, 'q full': 3, step: 3 },
  entries: ['in progress'],
  notes: [],
}
