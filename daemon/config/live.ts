/**
 * The configuration that is in force: read again when its file has changed or somebody asks, one reading at a time. A file that
 * is wrong changes nothing, and says why for as long as it is.
 */
import { messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { mergeConfig } from './merge.ts'
import { readConfig } from './read.ts'
import type { Config } from './schema.ts'

export interface LiveConfigOptions {
  /** Undefined: there is nothing to read again. */
  readonly file?: string | undefined
  /** Called with what is in force now, each time that something took effect. */
  readonly apply: (config: Config) => void
  /** What a reading found, for the log. */
  readonly say?: ((line: string) => void) | undefined
}

export interface Reloaded {
  /** Keys that took effect. */
  readonly changed: readonly string[]
  /** Keys that differ from what is in force until the next start. */
  readonly needRestart: readonly string[]
}

export class LiveConfig {
  readonly file: string | undefined
  readonly #apply: (config: Config) => void
  readonly #say: (line: string) => void
  #inForce: Config
  #needRestart: readonly string[] = []
  #error: unknown
  #reading: Promise<unknown> = Promise.resolve()

  constructor(config: Config, { file, apply, say = () => {} }: LiveConfigOptions) {
    this.#inForce = config
    this.file = file
    this.#apply = apply
    this.#say = say
  }

  get inForce(): Config {
    return this.#inForce
  }

  get needRestart(): readonly string[] {
    return this.#needRestart
  }

  /** Why the file as it was last read is not in force. */
  get error(): unknown {
    return this.#error
  }

  /** Rejects with `bad-config` and leaves all as it was, or with `no-config-file`. */
  reload(): Promise<Reloaded> {
    const reading = this.#reading.then(() => this.#reload())
    this.#reading = reading.catch(() => {})
    return reading
  }

  /** A change of the file is no longer seen by itself. */
  unwatched(error: unknown): void {
    this.#say(`configuration: ${this.file} is not watched: ${messageOf(error)}; reload it by hand`)
  }

  async #reload(): Promise<Reloaded> {
    if (this.file === undefined)
      throw new TidepoolError(
        'no-config-file',
        'this daemon was started with no file that could be read again',
      )
    try {
      const { config, changed, needRestart } = mergeConfig(this.#inForce, await readConfig(this.file))
      if (changed.length > 0) this.#apply(config)
      this.#inForce = config
      this.#needRestart = needRestart
      this.#error = undefined
      if (changed.length > 0) this.#say(`configuration: in force now: ${changed.join(', ')}`)
      if (needRestart.length > 0) this.#say(`configuration: need a restart: ${needRestart.join(', ')}`)
      return { changed, needRestart }
    } catch (error) {
      this.#error = error
      this.#say(`configuration: all stays as it was: ${messageOf(error)}`)
      throw error
    }
  }
}
