/**
 * When each project was last used, kept over restarts in one small file of the state directory, so that what leaves the pool
 * after one is what nobody uses and not what nobody has used yet. A hint: where it is lost, projects only stay longer.
 */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeAtomically } from '../../pipeline/base/atomic-file.ts'
import type { Clock } from '../../pipeline/base/clock.ts'
import { errnoOf } from '../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'

export interface LastAccessOptions {
  readonly clock: Clock
  /** From one write of the file to the next at least; a crash loses no more. @default 5 s */
  readonly intervalMs?: number
}

/** What an earlier process left. Where it can't be used, every project counts as used when this process began. */
export type FoundAccess =
  | { readonly kind: 'read'; readonly projects: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unusable'; readonly error: unknown }

const FILE = 'last-access.json'
const INTERVAL_MS = 5_000

/** Milliseconds since 1970 by this machine's clock: the only one that goes on over a restart. */
const schema = z.object({ projects: z.record(z.string(), z.int().nonnegative()) })

/** Never rejects for what is in the directory, or is not. */
export async function openLastAccess(
  directory: string,
  options: LastAccessOptions,
): Promise<{ readonly access: LastAccess; readonly found: FoundAccess }> {
  const file = join(directory, FILE)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const { projects } = schema.parse(JSON.parse(await readFile(file, 'utf8')))
    const entries = Object.entries(projects).map(([id, atMs]) => [projectId(id), atMs] as const)
    const access = new LastAccess(file, options, entries)
    return { access, found: { kind: 'read', projects: entries.length } }
  } catch (error) {
    const found: FoundAccess = errnoOf(error) === 'ENOENT' ? { kind: 'missing' } : { kind: 'unusable', error }
    return { access: new LastAccess(file, options, []), found }
  }
}

export class LastAccess {
  readonly #file: string
  readonly #clock: Clock
  readonly #intervalMs: number
  /** On the monotonic clock: by the other one a project would be idle for an hour because the clock was set. */
  readonly #usedAtMs = new Map<ProjectId, number>()
  readonly #startedMs: number
  #isChanged = false
  #error: unknown
  #wake: () => void = () => {}

  constructor(
    file: string,
    { clock, intervalMs = INTERVAL_MS }: LastAccessOptions,
    before: Iterable<readonly [ProjectId, number]>,
  ) {
    this.#file = file
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#startedMs = clock.monotonicMs()
    for (const [id, atMs] of before)
      this.#usedAtMs.set(id, this.#startedMs - Math.max(0, clock.wallMs() - atMs))
  }

  /** Somebody was seen in it. */
  used(id: ProjectId): void {
    this.#usedAtMs.set(id, this.#clock.monotonicMs())
    this.#changed()
  }

  /** It left the pool. */
  forget(id: ProjectId): void {
    if (this.#usedAtMs.delete(id)) this.#changed()
  }

  /** Forgets all others: they left the pool while nobody looked. */
  keepOnly(residents: Iterable<ProjectId>): void {
    const stay = new Set(residents)
    for (const id of [...this.#usedAtMs.keys()]) if (!stay.has(id)) this.forget(id)
  }

  /** What `planResidency` asks; of one that nobody knows anything of, since this process began. */
  idleMs(id: ProjectId): number {
    return this.#clock.monotonicMs() - (this.#usedAtMs.get(id) ?? this.#startedMs)
  }

  /** Why the file was not written the last time; undefined where it was. The next try comes by itself. */
  get error(): unknown {
    return this.#error
  }

  /** Writes what has changed until the signal fires, then what is left; resolves after that. Is called once. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#change(signal)
      if (signal.aborted) break
      await this.#write()
      await this.#clock.sleep(this.#intervalMs, signal).catch(() => {})
    }
    if (this.#isChanged) await this.#write()
  }

  #changed(): void {
    this.#isChanged = true
    this.#wake()
  }

  #change(signal: AbortSignal): Promise<void> {
    if (this.#isChanged) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#wake = done
      signal.addEventListener('abort', done, { once: true })
    })
  }

  async #write(): Promise<void> {
    this.#isChanged = false
    const behindMs = this.#clock.wallMs() - this.#clock.monotonicMs()
    const projects = Object.fromEntries(
      [...this.#usedAtMs].map(([id, atMs]) => [id, Math.max(0, Math.round(behindMs + atMs))]),
    )
    try {
      await writeAtomically(this.#file, [Buffer.from(`${JSON.stringify({ projects }, null, 1)}\n`)], {
        mode: 0o600,
      })
      this.#error = undefined
    } catch (error) {
      this.#isChanged = true
      this.#error = error
    }
  }
}
