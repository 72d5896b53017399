/** Holds on the snapshots that a stream is sent from, as long as it is sent. */
import { holdAll, releaseAll } from '../../native/zfs/dataset.ts'
import type { SnapshotName } from '../../native/zfs/names.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { SAVE_HOLD } from './names.ts'

export class SendHold {
  readonly #zfs: Zfs
  readonly #names: readonly SnapshotName[]
  #begun: Promise<unknown> | undefined
  #ending: Promise<unknown> | undefined

  constructor(zfs: Zfs, snapshots: readonly { readonly name: SnapshotName }[]) {
    this.#zfs = zfs
    this.#names = snapshots.map(({ name }) => name)
  }

  /**
   * Once, however often it is called. Resolves once all of them are held, rejects where one can't be. The send need not wait
   * for it: a hold only makes it likely that they stay, and that they did is looked at after its last byte.
   */
  begin(): Promise<unknown> {
    if (!this.#begun) {
      this.#begun = holdAll(this.#zfs, SAVE_HOLD, this.#names)
      this.#begun.catch(() => {}) // seen by whoever sends, and nobody may be there yet
    }
    return this.#begun
  }

  /** Once, however often it is called; it is not begun after that. Rejects where one could not be released; all were tried. */
  end(): Promise<unknown> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  async #end(): Promise<void> {
    if (!this.#begun) {
      this.#begun = Promise.resolve()
      return
    }
    // A hold that comes after its release would stay.
    await this.#begun.catch(() => {})
    await releaseAll(this.#zfs, SAVE_HOLD, this.#names)
  }
}
