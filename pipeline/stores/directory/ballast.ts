/**
 * A few MiB kept on the disk so that they can be given up: LMDB needs space also to remove, and so a full disk could
 * never be emptied. While they are given up no new write begins, or it would take them at once.
 */
import { open, rm, stat } from 'node:fs/promises'
import { errnoOf, TidepoolError } from '../../base/errors.ts'
import { MIB } from '../../base/units.ts'
import { writeWhole } from '../../base/write-whole.ts'
import { diskError, syncDirectory } from './disk.ts'
import { ballastFile, FILE_MODE } from './layout.ts'

export const BALLAST_BYTES = 4 * MIB

export class Ballast {
  readonly #root: string
  readonly #file: string

  constructor(root: string) {
    this.#root = root
    this.#file = ballastFile(root)
  }

  async isWhole(): Promise<boolean> {
    try {
      return (await stat(this.#file)).size === BALLAST_BYTES
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false
      throw diskError('look at', this.#file, error)
    }
  }

  /** False where it was given up already. */
  async giveUp(): Promise<boolean> {
    if (!(await stat(this.#file).catch(() => undefined))) return false
    await rm(this.#file, { force: true })
    await syncDirectory(this.#root)
    return true
  }

  /** Rejects with `disk-full` where there is no space for it, and then takes none. */
  async restore(): Promise<void> {
    if (await this.isWhole()) return
    try {
      await using file = await open(this.#file, 'w', FILE_MODE)
      // Not a hole: only blocks that are taken can be given back.
      await writeWhole(file, Buffer.alloc(BALLAST_BYTES, 1), 0)
      await file.datasync()
    } catch (error) {
      await rm(this.#file, { force: true })
      const translated = diskError('set space aside in', this.#file, error)
      if (!(translated instanceof TidepoolError) || translated.code !== 'disk-full') throw translated
      throw new TidepoolError('disk-full', `the disk under ${this.#root} is full: no new write is begun`, {
        cause: error,
        hint: 'Make space on that file system (removing writes goes on), then do it again; nothing needs a restart.',
      })
    }
  }
}
