/** Holds on the snapshots that a stream is sent from, as long as it is sent. */
import { hold, release } from '../../native/zfs/dataset.ts'
import type { SnapshotName } from '../../native/zfs/names.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { allOf } from '../../pipeline/base/all-of.ts'
import { SAVE_HOLD } from './names.ts'

export class SendHold {
  /**
   * Resolves once all of them are held, rejects where one can't be. The send need not wait for it: a hold only makes it
   * likely that they stay, and that they did is looked at after its last byte.
   */
  readonly begun: Promise<unknown>
  readonly #zfs: Zfs
  readonly #names: readonly SnapshotName[]
  #ending: Promise<unknown> | undefined

  constructor(zfs: Zfs, snapshots: readonly { readonly name: SnapshotName }[]) {
    this.#zfs = zfs
    this.#names = snapshots.map(({ name }) => name)
    this.begun = allOf(this.#names.map((name) => hold(zfs, SAVE_HOLD, name)))
    this.begun.catch(() => {}) // seen by whoever sends, and nobody may be there yet
  }

  /** Once, however often it is called. Rejects where one could not be released; all were tried. */
  end(): Promise<unknown> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  async #end(): Promise<void> {
    // A hold that comes after its release would stay.
    await this.begun.catch(() => {})
    await allOf(this.#names.map((name) => release(this.#zfs, SAVE_HOLD, name)))
  }
}
