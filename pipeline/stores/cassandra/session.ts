/** One data centre as the store speaks to it: statements out, rows and errors of ours back, given up at an abort. */
import type { Client, QueryOptions, types } from 'cassandra-driver'
import { OutcomeUnknownError, TidepoolError } from '../../base/errors.ts'
import type { Statement } from './batch.ts'
import { type Attempt, storeError } from './errors.ts'

export interface Call {
  /** For messages: `read of project p`. */
  readonly what: string
  readonly signal?: AbortSignal | undefined
}

export type Params = readonly unknown[]

export class Session {
  readonly client: Client
  readonly #underWay = new Set<() => void>()
  #isClosed = false

  constructor(client: Client) {
    this.client = client
  }

  read(query: string, params: Params, options: QueryOptions, call: Call): Promise<types.ResultSet> {
    return this.#execute(query, params, options, call, 'read')
  }

  /** For writes that may be done twice. */
  write(query: string, params: Params, options: QueryOptions, call: Call): Promise<types.ResultSet> {
    return this.#execute(query, params, options, call, 'write')
  }

  /** All rows, a page at a time; the next page is asked for when the last one is used up. */
  async *rows(query: string, params: Params, options: QueryOptions, call: Call): AsyncGenerator<types.Row> {
    let pageState: string | null = null
    do {
      const page: types.ResultSet = await this.read(
        query,
        params,
        pageState ? { ...options, pageState } : options,
        call,
      )
      for (const row of page.rows) {
        call.signal?.throwIfAborted()
        yield row
      }
      pageState = page.pageState
    } while (pageState)
  }

  /** Whether the conditions held. Sent once: repeating a transaction that happened would report that it did not. */
  async transact(statements: readonly Statement[], options: QueryOptions, call: Call): Promise<boolean> {
    const result = await this.#settle(
      () => {
        const [only] = statements
        if (statements.length === 1 && only)
          return this.client.execute(only.query, only.params as unknown[], options)
        return this.client.batch(statements as { query: string; params: unknown[] }[], options)
      },
      call,
      'transaction',
    )
    return result.wasApplied()
  }

  #execute(
    query: string,
    params: Params,
    options: QueryOptions,
    call: Call,
    attempt: Attempt,
  ): Promise<types.ResultSet> {
    return this.#settle(() => this.client.execute(query, params as unknown[], options), call, attempt)
  }

  /** The driver cannot take a request back: after an abort nobody waits for its answer, and its failure is nobody's. */
  async #settle<T>(send: () => Promise<T>, { what, signal }: Call, attempt: Attempt): Promise<T> {
    signal?.throwIfAborted()
    if (this.#isClosed) throw closed(what)
    return new Promise((resolve, reject) => {
      const leave = (reason: unknown): void =>
        reject(attempt === 'transaction' ? new OutcomeUnknownError(what, reason) : reason)
      const abort = (): void => leave(signal?.reason)
      const end = (): void => leave(closed(what))
      signal?.addEventListener('abort', abort, { once: true })
      this.#underWay.add(end)
      const settled = (): void => {
        signal?.removeEventListener('abort', abort)
        this.#underWay.delete(end)
      }
      send().then(
        (value) => {
          settled()
          resolve(value)
        },
        (error: unknown) => {
          settled()
          reject(storeError(error, what, attempt))
        },
      )
    })
  }

  /** Calls under way reject. May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const end of this.#underWay) end()
    await this.client.shutdown()
  }
}

function closed(what: string): TidepoolError {
  return new TidepoolError('store-closed', `${what}: the store is closed`, {
    hint: 'This is a fault of the program: please report it.',
  })
}
