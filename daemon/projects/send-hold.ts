/** Holds on the snapshots that a stream is sent from, once that turns out to take a while. */
import { hold, release } from '../../native/zfs/dataset.ts'
import type { SnapshotName } from '../../native/zfs/names.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { allOf } from '../../pipeline/base/all-of.ts'
import { SAVE_HOLD } from './names.ts'

/**
 * A hold only makes it likely that a snapshot stays; that it did is looked at after the last byte. zfs-fuse syncs its pool for
 * each, 100 to 220 ms beside a send of 120 ms: what is sent sooner would only wait for its holds.
 */
const HOLD_AFTER_MS = 1_000

export class SendHold {
  readonly #zfs: Zfs
  readonly #names: readonly SnapshotName[]
  readonly #timer: NodeJS.Timeout
  #begun: Promise<unknown> | undefined
  #ending: Promise<unknown> | undefined

  /** The send is about to begin; `end` has to be called. */
  constructor(zfs: Zfs, snapshots: readonly { readonly name: SnapshotName }[]) {
    this.#zfs = zfs
    this.#names = snapshots.map(({ name }) => name)
    this.#timer = setTimeout(() => {
      this.#begun = allOf(this.#names.map((name) => hold(zfs, SAVE_HOLD, name)))
      this.#begun.catch(() => {}) // seen by whoever sends, and nobody may be there yet
    }, HOLD_AFTER_MS)
  }

  /** The send is over: nothing more is held. Rejects where one that it took long enough for could not be. */
  async over(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#begun
  }

  /** Once, however often it is called. Rejects where one could not be released; all were tried. */
  end(): Promise<unknown> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  async #end(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#begun === undefined) return
    // A hold that comes after its release would stay.
    await this.#begun.catch(() => {})
    await allOf(this.#names.map((name) => release(this.#zfs, SAVE_HOLD, name)))
  }
}
