/** How far a run has come, for whoever shows it. */

export type Phase = 'survey' | 'checks' | 'stored' | 'cleaning' | 'watching'

export interface ScrubProgress {
  readonly phase: Phase
  /** Met by the survey. */
  readonly projects: number
  /** Checked. */
  readonly writes: number
  readonly chunks: number
  readonly readBytes: bigint
  /** Looked at on the way through all that is stored. */
  readonly entries: number
}

export class Progress {
  readonly #tell: ((progress: ScrubProgress) => void) | undefined
  #now: ScrubProgress = { phase: 'survey', projects: 0, writes: 0, chunks: 0, readBytes: 0n, entries: 0 }

  constructor(tell: ((progress: ScrubProgress) => void) | undefined) {
    this.#tell = tell
  }

  get now(): ScrubProgress {
    return this.#now
  }

  set(change: Partial<ScrubProgress>): void {
    this.#now = { ...this.#now, ...change }
    this.#tell?.(this.#now)
  }

  add({ projects = 0, writes = 0, chunks = 0, readBytes = 0n, entries = 0 }: Partial<ScrubProgress>): void {
    const now = this.#now
    this.set({
      projects: now.projects + projects,
      writes: now.writes + writes,
      chunks: now.chunks + chunks,
      readBytes: now.readBytes + readBytes,
      entries: now.entries + entries,
    })
  }
}
