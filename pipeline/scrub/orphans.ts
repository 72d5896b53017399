/**
 * What is stored and belongs to nothing: found by paging over all keys, each judged by a serial read of its
 * project. It goes only if it was absent in two rounds far enough apart, and is absent still right before it goes.
 */
import { LRUCache } from 'lru-cache'
import type { ProjectId, WriteId } from '../base/ids.ts'
import type { StoredEntry } from '../stores/contract.ts'
import { unchecked } from './attempt.ts'
import { OrphanCandidates } from './candidates.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Action, Finding } from './findings.ts'
import type { Run } from './settings.ts'

/** `ended`: the row itself says that its chunks are gone, so these came late. */
type Standing = 'live' | 'absent' | 'ended'

interface Orphan {
  readonly project: ProjectId
  readonly writeId: WriteId
  readonly standing: Standing
  readonly entries: StoredEntry[]
}

/** Ids of writes that are in the catalogue: a project is read once for all of its entries, and again for no other reason than room. */
const LIVE_REMEMBERED = 50_000
/** What one run takes away at most; the next one goes on. */
const MAX_ENTRIES = 10_000

export class Orphans {
  readonly #run: Run
  readonly #live = new LRUCache<string, true>({ max: LIVE_REMEMBERED })
  readonly #doomed = new Map<WriteId, Orphan>()
  readonly #reported = new Set<WriteId>()
  #candidates: OrphanCandidates | undefined
  /** The list of all that is stored was followed to its end. */
  isComplete = false
  #entries = 0
  #liveEntries = 0

  constructor(run: Run) {
    this.#run = run
  }

  /** One look at all that is stored, from where the last one stopped. Deletes nothing. */
  async *scan(checkpoint: Checkpoint): AsyncGenerator<Finding, void> {
    const { store, clock, progress, signal } = this.#run
    try {
      const candidates = await OrphanCandidates.load(store.catalogue, { signal })
      this.#candidates = candidates
      // The store's time, without asking for each entry.
      const offsetMs = (await store.catalogue.nowMs({ signal })) - clock.monotonicMs()
      const save = (): Promise<void> => candidates.save({ signal })
      const after = checkpoint.place.cursor
      this.#liveEntries = checkpoint.place.liveEntries
      await checkpoint.move({ phase: 'stored' }, save)
      progress.set({ phase: 'stored' })
      for await (const entry of store.blobs.stored({ signal, ...(after !== null && { after }) })) {
        progress.add({ entries: 1 })
        yield* this.#judge(entry, candidates, checkpoint.place.startedAtMs, offsetMs + clock.monotonicMs())
        await checkpoint.move({ cursor: entry.cursor, liveEntries: this.#liveEntries }, save)
      }
      candidates.dropUnseenSince(checkpoint.place.startedAtMs)
      await save()
      this.#want()
      this.isComplete = true
    } catch (error) {
      // A list that broke off proves nothing about what it did not say.
      this.#doomed.clear()
      yield unchecked(this.#run, 'the list of all that is stored', error)
    }
  }

  /** What two rounds found; without `apply` it says so. */
  async *remove(apply: boolean): AsyncGenerator<Finding, void> {
    const { store, signal } = this.#run
    for (const orphan of this.#doomed.values()) {
      const { project, writeId } = orphan
      // Also what was judged of it before it could no longer be read.
      if (this.#run.spoiled.has(project)) continue
      try {
        // The looks were long ago: whoever restored a catalogue meanwhile wants his chunks.
        const standing = await this.#standing(project, writeId)
        if (standing === 'live') continue
        if (!apply) yield found(orphan, 'would-remove')
        else if (standing === 'absent' && !this.#run.budget.take(this.#bytesOf(orphan)))
          yield found(orphan, 'none', 'it waits for the next run')
        else {
          for (const entry of orphan.entries) await store.blobs.removeStored(entry, { signal })
          this.#candidates?.drop(writeId)
          yield found(orphan, 'done')
        }
      } catch (error) {
        yield unchecked(this.#run, `write ${writeId} of ${project}`, error, { project, writeId })
      }
    }
    try {
      await this.#candidates?.save({ signal })
    } catch (error) {
      yield unchecked(this.#run, 'the note of orphans', error)
    }
  }

  async *#judge(
    entry: StoredEntry,
    candidates: OrphanCandidates,
    roundStartedAtMs: number,
    nowMs: number,
  ): AsyncGenerator<Finding, void> {
    const { project, writeId, what } = entry
    if (project === null || writeId === null) return yield unknownEntry(entry)
    let standing: Standing
    try {
      standing = this.#live.has(writeId) ? 'live' : await this.#standing(project, writeId)
    } catch (error) {
      return yield unchecked(this.#run, what, error, { project, writeId })
    }
    if (standing === 'live') {
      this.#liveEntries++
      candidates.drop(writeId)
      return
    }
    const firstMs = candidates.seen(project, writeId, nowMs)
    const isOld =
      firstMs !== undefined && firstMs < roundStartedAtMs && nowMs - firstMs >= this.#run.orphanAgeMs
    const orphan = this.#doomed.get(writeId) ?? { project, writeId, standing, entries: [] }
    if (isOld && this.#entries < MAX_ENTRIES) {
      orphan.entries.push(entry)
      this.#doomed.set(writeId, orphan)
      this.#entries++
    } else if (!this.#reported.has(writeId)) {
      if (firstMs !== undefined) this.#reported.add(writeId)
      yield found({ ...orphan, entries: [entry] }, 'none', 'a later round looks again before it goes')
    }
  }

  async #standing(project: ProjectId, writeId: WriteId): Promise<Standing> {
    const now = await this.#run.store.catalogue.read(project, this.#run)
    for (const row of now?.rows.values() ?? []) if (row.state !== 'deleted') this.#live.set(row.writeId, true)
    const row = now?.rows.get(writeId)
    if (!row) return 'absent'
    return row.state === 'deleted' ? 'ended' : 'live'
  }

  #want(): void {
    const { budget, spoiled } = this.#run
    for (const orphan of this.#doomed.values())
      if (orphan.standing === 'absent' && !spoiled.has(orphan.project)) budget.want(this.#bytesOf(orphan))
  }

  /** Entries do not tell their size without being read: each counts as much as a live one does on average. */
  #bytesOf({ entries }: Orphan): bigint {
    const { liveBytes, allowedBytes } = this.#run.budget
    // Nothing stored is alive: then the catalogue is what is wrong.
    if (this.#liveEntries === 0) return allowedBytes + 1n
    return (liveBytes * BigInt(entries.length)) / BigInt(this.#liveEntries) + 1n
  }
}

function found(orphan: Orphan, action: Action, after = ''): Finding {
  const { project, writeId, standing, entries } = orphan
  const why = standing === 'ended' ? 'ended long ago' : 'is not in the catalogue'
  const more = entries.length > 1 ? ` and ${entries.length - 1} more` : ''
  return {
    kind: 'orphan',
    project,
    writeId,
    message: `${entries[0]?.what}${more}: write ${writeId} of ${project} ${why}${after && `; ${after}`}`,
    action,
    bytes: null,
  }
}

function unknownEntry({ project, writeId, what }: StoredEntry): Finding {
  return {
    kind: 'unknown-entry',
    project,
    writeId,
    message: `${what} is stored and does not say which write of which project it belongs to`,
    hint: 'No program of ours made it, or it is damaged: look at it, and remove it by hand.',
    action: 'none',
  }
}
