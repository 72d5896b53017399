/**
 * Where a round of checks stands, kept as a note in the store itself: whoever scrubs next goes on there, on
 * whatever machine. Written every few seconds, so that a crash repeats little; two scrubs at once overwrite each
 * other's, and then repeat some.
 */
import { z } from 'zod'
import type { Catalogue } from '../stores/contract.ts'
import type { Settings } from './settings.ts'

/** Grows with every change of what stands in the note: another number is not read, and the round begins anew. */
const LAYOUT = 1

const schema = z.object({
  layout: z.literal(LAYOUT),
  /** What the round is asked for; a round of another kind is not this one's beginning. */
  kind: z.string(),
  /** By the store's clock. */
  startedAtMs: z.number(),
  phase: z.enum(['projects', 'stored']),
  /** The last project that is done, or, with a write, in which all writes up to that one are. */
  project: z.string().nullable(),
  write: z.string().nullable(),
  /** Behind which stored entry it goes on. */
  cursor: z.string().nullable(),
  damagedWrites: z.int(),
  liveEntries: z.int(),
})

export type Place = z.infer<typeof schema>

const LAST_WORD_MS = 2_000

export class Checkpoint {
  readonly #catalogue: Catalogue
  readonly #settings: Settings
  readonly #name: string
  readonly resumed: boolean
  #place: Place
  #writtenAtMs: number
  #isDirty = false
  #isStored: boolean
  #failure: unknown

  /** Throws where the note can't be read: whoever calls then starts anew. */
  static async load(catalogue: Catalogue, settings: Settings, nowMs: number): Promise<Checkpoint> {
    const { depth, sample, seed } = settings
    const kind = depth === 'deep' ? `deep ${sample} ${seed}` : depth
    const fresh: Place = {
      layout: LAYOUT,
      kind,
      startedAtMs: nowMs,
      phase: 'projects',
      project: null,
      write: null,
      cursor: null,
      damagedWrites: 0,
      liveEntries: 0,
    }
    const name = `scrub/${depth}`
    const place = parse(await catalogue.readNote(name, settings))
    const goesOn = place?.kind === kind
    return new Checkpoint(catalogue, settings, name, goesOn ? place : fresh, goesOn)
  }

  private constructor(
    catalogue: Catalogue,
    settings: Settings,
    name: string,
    place: Place,
    resumed: boolean,
  ) {
    this.#catalogue = catalogue
    this.#settings = settings
    this.#name = name
    this.#place = place
    this.resumed = resumed
    this.#isStored = resumed
    this.#writtenAtMs = settings.clock.monotonicMs()
  }

  get place(): Place {
    return this.#place
  }

  /** What came before is done and reported. `before` runs before that is made durable. */
  async move(to: Partial<Place>, before?: () => Promise<void>): Promise<void> {
    this.#place = { ...this.#place, ...to }
    this.#isDirty = true
    const nowMs = this.#settings.clock.monotonicMs()
    if (nowMs - this.#writtenAtMs < this.#settings.checkpointEveryMs) return
    this.#writtenAtMs = nowMs
    try {
      await before?.()
      await this.#write(this.#settings.signal)
    } catch (error) {
      // A store that takes no notes, a read-only one, can be looked at all the same.
      this.#settings.signal?.throwIfAborted()
      this.#failure = error
    }
  }

  /** Why it could not be noted where the round stands, or that it is complete. */
  get failure(): unknown {
    return this.#failure
  }

  /** For the very end of a run that was stopped, whose own signal may have fired: short, and of no consequence where it fails. */
  async lastWord(): Promise<void> {
    if (!this.#isDirty) return
    try {
      await this.#write(AbortSignal.timeout(LAST_WORD_MS))
    } catch {
      // The note written before stands; some is done twice.
    }
  }

  /** The round is complete: the next one begins at the beginning. */
  async clear(): Promise<void> {
    this.#isDirty = false
    if (!this.#isStored) return
    try {
      await this.#catalogue.writeNote(this.#name, undefined, this.#settings)
    } catch (error) {
      this.#settings.signal?.throwIfAborted()
      this.#failure = error
    }
  }

  async #write(signal: AbortSignal | undefined): Promise<void> {
    // Also where the answer is lost: then it may be there.
    this.#isStored = true
    await this.#catalogue.writeNote(this.#name, JSON.stringify(this.#place), { signal })
    this.#isDirty = false
  }
}

function parse(text: string | undefined): Place | undefined {
  if (text === undefined) return undefined
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    // Another layout, or damaged: no place to go on from.
    return undefined
  }
}
