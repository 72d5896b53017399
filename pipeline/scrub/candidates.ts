/**
 * Writes that are stored and were absent from the catalogue, with the time at which that was first seen: only what
 * is absent at two looks far enough apart is an orphan. Kept in notes of bounded size, a bounded number of them.
 */
import { z } from 'zod'
import type { ProjectId, WriteId } from '../base/ids.ts'
import type { CallOptions, Catalogue } from '../stores/contract.ts'

/** About 100 bytes each: a note of 40 KiB, a quarter of what it takes to make a Cassandra node complain. */
const PER_NOTE = 400
const MAX_NOTES = 25
const MAX_CANDIDATES = PER_NOTE * MAX_NOTES

const schema = z.object({
  layout: z.literal(1),
  /** Project, write, first and last time it was seen absent, by the store's clock. */
  candidates: z.array(z.tuple([z.string(), z.string(), z.number(), z.number()])),
})

interface Candidate {
  readonly project: string
  readonly firstMs: number
  readonly lastMs: number
}

export class OrphanCandidates {
  readonly #catalogue: Catalogue
  readonly #candidates = new Map<string, Candidate>()
  #notes = 0
  #isDirty = false

  static async load(catalogue: Catalogue, options: CallOptions): Promise<OrphanCandidates> {
    const candidates = new OrphanCandidates(catalogue)
    for (let note = 0; note < MAX_NOTES; note++) {
      const text = await catalogue.readNote(nameOf(note), options)
      if (text === undefined) break
      candidates.#notes++
      for (const [project, writeId, firstMs, lastMs] of parse(text))
        candidates.#candidates.set(writeId, { project, firstMs, lastMs })
    }
    return candidates
  }

  private constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue
  }

  /** Notes that it is absent now; when that was first seen, or undefined where there are too many to remember it. */
  seen(project: ProjectId, writeId: WriteId, nowMs: number): number | undefined {
    const known = this.#candidates.get(writeId)
    const firstMs = known?.project === project ? known.firstMs : nowMs
    if (!known && this.#candidates.size >= MAX_CANDIDATES) return undefined
    this.#candidates.set(writeId, { project, firstMs, lastMs: nowMs })
    this.#isDirty = true
    return firstMs
  }

  /** It is in the catalogue after all, or gone from the store. */
  drop(writeId: WriteId): void {
    if (this.#candidates.delete(writeId)) this.#isDirty = true
  }

  /** A round over all that is stored has ended: what it did not meet is no longer there. */
  dropUnseenSince(ms: number): void {
    for (const [writeId, { lastMs }] of this.#candidates) if (lastMs < ms) this.drop(writeId as WriteId)
  }

  async save(options: CallOptions): Promise<void> {
    if (!this.#isDirty) return
    const all = [...this.#candidates].map(([writeId, c]) => [c.project, writeId, c.firstMs, c.lastMs])
    const notes = Math.ceil(all.length / PER_NOTE)
    for (let note = 0; note < notes; note++) {
      const candidates = all.slice(note * PER_NOTE, (note + 1) * PER_NOTE)
      await this.#catalogue.writeNote(nameOf(note), JSON.stringify({ layout: 1, candidates }), options)
    }
    for (let note = notes; note < this.#notes; note++)
      await this.#catalogue.writeNote(nameOf(note), undefined, options)
    this.#notes = notes
    this.#isDirty = false
  }
}

function nameOf(note: number): string {
  return `scrub/orphans/${note}`
}

function parse(text: string): z.infer<typeof schema>['candidates'] {
  try {
    return schema.safeParse(JSON.parse(text)).data?.candidates ?? []
  } catch {
    // Of another layout, or damaged: then these were never seen, and wait their hour again.
    return []
  }
}
