/** What a verb gets from the command around it: the store, the output, and what to stop at. */
import { existsSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import type { Command } from 'commander'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { type Clock, systemClock } from '../../pipeline/base/clock.ts'
import { codeOf, messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { OpenedStore, OpenOptions } from '../../pipeline/stores/open.ts'

import type { Client, ClientOptions } from '../client/client.ts'
import type { Config } from '../config/schema.ts'

import { Output, toJson } from './output.ts'

/** The outside of the process, so that tests run commands without one. */
export interface Surroundings {
  readonly stdin: Readable & { readonly fd?: number; readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly env: Readonly<Record<string, string | undefined>>
  /** Fires at Ctrl-C. */
  readonly signal: AbortSignal
  /** SIGHUP calls this from now on, and ends nothing. */
  readonly onHangup?: (act: () => void) => void
  readonly clock?: Clock
  /** Opens a store by its URL. @default the real stores */
  readonly openStore?: (url: string, options: OpenOptions) => Promise<OpenedStore>
  /** Finds the ZFS of the machine. @default its commands in the PATH */
  readonly openZfs?: () => Promise<Zfs>
}

/** One verb of the command, in a file of its own that is loaded only when it is used. */
export interface Verb<Arguments extends readonly unknown[] = readonly unknown[], Options = object> {
  /** Adds its arguments, options and help. */
  configure(command: Command): void
  /** Does it; the exit code, 0 where it gives none. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a verb that simply ends has done well
  run(cli: Cli, args: Arguments, options: Options): Promise<number | void>
}

const DEFAULT_SOCKET = '/run/tidepool/tidepool.sock'
const DEFAULT_CONFIG = '/etc/tidepool/tidepool.yaml'

/** Of the daemon that is meant where none is named. */
export const configFileOf = (env: Surroundings['env']): string => env.TIDEPOOL_CONFIG ?? DEFAULT_CONFIG

export interface CliOptions {
  readonly json?: boolean
  readonly store?: string
  readonly socket?: string
  readonly url?: string
  readonly tokenFile?: string
  readonly caFile?: string
}

/** What the command line says goes before the environment, and a socket that it names before an URL of the environment. */
function daemonAt(options: CliOptions, env: Surroundings['env']): ClientOptions {
  const url = options.url ?? (options.socket === undefined ? env.TIDEPOOL_URL : undefined)
  if (url === undefined) return { socket: options.socket ?? env.TIDEPOOL_SOCKET ?? DEFAULT_SOCKET }
  const caFile = options.caFile ?? env.TIDEPOOL_CA_FILE
  const tokenFile = options.tokenFile ?? env.TIDEPOOL_TOKEN_FILE ?? ''
  return { url, tokenFile, ...(caFile !== undefined && { caFile }) }
}

export class Cli {
  readonly surroundings: Surroundings
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly out: Output
  readonly #storeOption: string | undefined
  readonly #daemon: ClientOptions

  constructor(surroundings: Surroundings, options: CliOptions) {
    this.surroundings = surroundings
    this.signal = surroundings.signal
    this.clock = surroundings.clock ?? systemClock
    this.out = new Output(surroundings.stdout, { json: options.json === true })
    this.#storeOption = options.store
    this.#daemon = daemonAt(options, surroundings.env)
  }

  /** Asks the daemon of this machine, or where an URL says. */
  async ask<Answer = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<Answer> {
    return (await this.client()).call<Answer>(method, path, {
      signal: this.signal,
      ...(body !== undefined && { body }),
    })
  }

  async client(options: Pick<ClientOptions, 'restartMs'> = {}): Promise<Client> {
    const { Client } = await import('../client/client.ts')
    return new Client({ ...this.#daemon, ...options })
  }

  /** Of root's, where this machine's daemon is asked. */
  get socket(): string | undefined {
    return 'socket' in this.#daemon ? this.#daemon.socket : undefined
  }

  get #namedStore(): string | undefined {
    const url = this.#storeOption ?? this.surroundings.env.TIDEPOOL_STORE
    return url === '' ? undefined : url
  }

  /** The one that is named, else the one of the daemon's configuration where there is one. */
  async storeUrl(): Promise<string> {
    return this.#namedStore ?? (await this.#configOfStore()).store
  }

  /** The daemon's configuration, where no store is named and so its own is meant. */
  async storeConfig(): Promise<Config | undefined> {
    return this.#namedStore === undefined ? this.#configOfStore() : undefined
  }

  async #configOfStore(): Promise<Config> {
    const { readConfig } = await import('../config/read.ts')
    const file = configFileOf(this.surroundings.env)
    if (existsSync(file)) return readConfig(file)
    throw new TidepoolError('bad-store-url', 'no store is given', {
      hint: `Add --store dir:/path (or cassandra://…), or set TIDEPOOL_STORE; there is no ${file} either.`,
    })
  }

  /** Runs the work with the store open, and closes it afterwards in any case. */
  async withStore<T>(work: (opened: OpenedStore) => Promise<T>, given?: string): Promise<T> {
    this.signal.throwIfAborted()
    const url = given ?? (await this.storeUrl())
    const open = this.surroundings.openStore ?? (await import('../../pipeline/stores/open.ts')).openStore
    const opened = await open(url, { env: this.surroundings.env, signal: this.signal })
    try {
      return await work(opened)
    } finally {
      await opened.close()
    }
  }

  async openZfs(): Promise<Zfs> {
    this.signal.throwIfAborted()
    if (this.surroundings.openZfs) return this.surroundings.openZfs()
    const { openZfs } = await import('../../native/zfs/zfs.ts')
    return openZfs({}, { signal: this.signal })
  }

  /** Beside the result, on stderr. */
  say(text: string): void {
    this.surroundings.stderr.write(this.out.json ? `${toJson({ note: text })}\n` : `tidepool: ${text}\n`)
  }

  warn(what: string, error: unknown): void {
    const why = messageOf(error)
    this.say(`${what}: ${why}${codeOf(error) === undefined ? '' : ` (${codeOf(error)})`}`)
  }
}
