/** Looks on: counts what acts moved, and keeps an hour of samples in memory for the plots of the status page. */
import { poolOf } from '../../native/zfs/names.ts'
import { poolState } from '../../native/zfs/pool.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { Act } from '../projects/acts.ts'
import type { Engine } from '../projects/engine.ts'

export interface Sample {
  readonly atMs: number
  readonly savedBytes: number
  readonly receivedBytes: number
  /** The longest one that ended since the sample before; null where none did. */
  readonly open: { readonly id: ProjectId; readonly ms: number } | null
  readonly unsavedMs: number
  readonly opened: number
  readonly poolUsedBytes: number
  readonly poolTotalBytes: number
}

const EVERY_MS = 10_000
/** The pool is asked by a command, which costs more than all the rest of a sample. */
const POOL_EVERY_MS = 30_000
const KEPT = 360

type Space = Pick<Awaited<ReturnType<typeof poolState>>, 'usedBytes' | 'availableBytes'>

export class Watch {
  readonly #samples: Sample[] = []
  readonly #lately: Act[] = []
  #asked: { readonly space: Space; readonly atMs: number } | undefined
  #savedBytes = 0
  #receivedBytes = 0
  #open: Sample['open'] = null

  /** Oldest first. */
  get samples(): readonly Sample[] {
    return this.#samples
  }

  /** The newest acts, newest first. */
  get lately(): readonly Act[] {
    return this.#lately
  }

  note(act: Act): void {
    this.#lately.unshift(act)
    this.#lately.length = Math.min(this.#lately.length, 30)
    if (act.error !== undefined) return
    if (act.what === 'save') this.#savedBytes += Number(act.bytes ?? 0n)
    if (act.what !== 'open') return
    this.#receivedBytes += Number(act.bytes ?? 0n)
    if (act.tookMs > (this.#open?.ms ?? 0)) this.#open = { id: act.id, ms: act.tookMs }
  }

  /** Until the signal fires. A pool that does not answer leaves a gap. */
  async run(engine: Engine, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.sample(engine, signal).catch(() => {})
      await engine.host.clock.sleep(EVERY_MS, signal).catch(() => {})
    }
  }

  async #space({ host }: Engine, signal: AbortSignal): Promise<Space> {
    const nowMs = host.clock.monotonicMs()
    if (this.#asked && nowMs - this.#asked.atMs < POOL_EVERY_MS) return this.#asked.space
    const space = await poolState(host.zfs, poolOf(host.parent), { signal })
    this.#asked = { space, atMs: nowMs }
    return space
  }

  async sample(engine: Engine, signal: AbortSignal): Promise<void> {
    const { usedBytes, availableBytes } = await this.#space(engine, signal)
    this.#samples.push({
      atMs: Date.now(),
      savedBytes: this.#savedBytes,
      receivedBytes: this.#receivedBytes,
      open: this.#open,
      unsavedMs: engine.saves.longestUnsavedMs,
      opened: engine.saves.size,
      poolUsedBytes: Number(usedBytes),
      poolTotalBytes: Number(usedBytes + availableBytes),
    })
    this.#open = null
    if (this.#samples.length > KEPT) this.#samples.shift()
  }
}
