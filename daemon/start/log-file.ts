/** A log beside a checkout: it starts anew when it has grown large, and the one before stays. */
import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { errnoOf } from '../../pipeline/base/errors.ts'

const LIMIT_BYTES = 16 * 2 ** 20

export class LogFile {
  readonly #path: string
  readonly #complain: (error: unknown) => void
  #descriptor: number | undefined
  #bytes = 0
  #failed = false

  /** `complain` hears of what could not be written, once until it can be again. */
  constructor(path: string, complain: (error: unknown) => void) {
    this.#path = path
    this.#complain = complain
  }

  /** At once, so that also the last words before an end are there. Never throws. */
  write(line: string): void {
    try {
      this.#descriptor ??= this.#open()
      if (this.#bytes > LIMIT_BYTES) {
        closeSync(this.#descriptor)
        this.#descriptor = undefined
        this.#descriptor = this.#open()
      }
      this.#bytes += writeSync(this.#descriptor, line)
      this.#failed = false
    } catch (error) {
      if (!this.#failed) this.#complain(error)
      this.#failed = true
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  #open(): number {
    keepSmall(this.#path)
    const descriptor = openSync(this.#path, 'a', 0o600)
    this.#bytes = statSync(this.#path).size
    return descriptor
  }
}

/** One that has grown large gets out of the way of the next; whoever writes to it still writes to the old one. */
export function keepSmall(path: string): void {
  try {
    if (statSync(path).size > LIMIT_BYTES) renameSync(path, `${path}.1`)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
