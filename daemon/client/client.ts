/**
 * Asks a daemon: one call of one route over its Unix socket. Every call has a deadline, an error of the daemon comes back as
 * the same typed error that it was there, and what may be asked twice is asked again while a daemon restarts.
 */
import { type IncomingHttpHeaders, request } from 'node:http'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { ErrorBody } from '../control/errors.ts'
import { again } from './again.ts'
import { broken, errorOf } from './errors.ts'
import { type EventsOptions, followEvents, followOperation } from './follow.ts'
import type { HostEventView, OperationStatus } from './types.ts'
import { ProjectVerbs } from './verbs.ts'

export interface ClientOptions {
  readonly socket: string
  /** Of each call. @default an hour: an open of a large project from afar is one */
  readonly limitMs?: number
  /** How long a call that may be repeated waits for a daemon that is started again. @default 15 s */
  readonly restartMs?: number
}

export interface CallOptions {
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** It may be carried out twice. @default true for all but a POST without an `idempotency-key` */
  readonly repeatable?: boolean
}

export interface Answered<Answer> {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly answer: Answer
}

const LIMIT_MS = 60 * 60_000
const RESTART_MS = 15_000
const MAX_ANSWER_BYTES = 256 * 1024 * 1024

export class Client {
  /** The verbs of a project. */
  readonly projects = new ProjectVerbs(this)
  readonly #socket: string
  readonly #limitMs: number
  readonly #restartMs: number
  /** Whether a daemon has ever answered: then one that is missing is perhaps started again. */
  #reached = false

  constructor({ socket, limitMs = LIMIT_MS, restartMs = RESTART_MS }: ClientOptions) {
    this.#socket = socket
    this.#limitMs = limitMs
    this.#restartMs = restartMs
  }

  /** Rejects with `daemon-missing` where nobody answers, with `daemon-left` where it went away before it had answered. */
  async call<Answer = Record<string, unknown>>(
    method: string,
    path: string,
    options: CallOptions = {},
  ): Promise<Answer> {
    return (await this.request<Answer>(method, path, options)).answer
  }

  /** The same, with the status and the headers of the answer. */
  request<Answer = Record<string, unknown>>(
    method: string,
    path: string,
    options: CallOptions = {},
  ): Promise<Answered<Answer>> {
    const repeatable =
      options.repeatable ?? (method !== 'POST' || options.headers?.['idempotency-key'] !== undefined)
    return again(() => this.#once<Answer>(method, path, options), {
      mayRepeat: () => repeatable,
      wasThere: () => this.#reached,
      limitMs: this.#restartMs,
      signal: options.signal,
    })
  }

  /** Begins a verb that may take long, and does not wait for its end. */
  async begin(path: string, options: CallOptions = {}): Promise<OperationStatus> {
    return this.call<OperationStatus>('POST', path, {
      ...options,
      headers: { ...options.headers, prefer: 'respond-async' },
    })
  }

  /** How far it is, again and again; the last one tells how it ended. Rejects with `operation-unknown` after a restart. */
  follow(operation: string, signal?: AbortSignal): AsyncGenerator<OperationStatus, void> {
    return followOperation(this.#socket, operation, signal)
  }

  cancel(operation: string, signal?: AbortSignal): Promise<OperationStatus> {
    return this.call('DELETE', `/v1/operations/${operation}`, { signal })
  }

  /**
   * What happens on the host, over restarts of its daemon. Never ends by itself: it rejects where no daemon answers for
   * `giveUpAfterMs`, and with the signal's reason.
   */
  events(options: EventsOptions = {}): AsyncGenerator<HostEventView, never> {
    return followEvents(this.#socket, options)
  }

  async #once<Answer>(
    method: string,
    path: string,
    { body, signal, headers }: CallOptions,
  ): Promise<Answered<Answer>> {
    const { status, text, headers: told } = await this.#ask(method, path, body, signal, headers)
    this.#reached = true
    let answer: unknown
    try {
      answer = JSON.parse(text)
    } catch (cause) {
      throw new TidepoolError('daemon-answer', `${this.#socket} does not answer as a daemon of ours`, {
        cause,
      })
    }
    if (status >= 300) throw errorOf(answer as ErrorBody)
    return { status, headers: told, answer: answer as Answer }
  }

  #ask(
    method: string,
    path: string,
    body: unknown,
    signal: AbortSignal | undefined,
    more: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly status: number; readonly text: string; readonly headers: IncomingHttpHeaders }> {
    return new Promise((resolve, reject) => {
      const sent = body === undefined ? undefined : JSON.stringify(body)
      const headers = { ...more, ...(sent !== undefined && { 'content-type': 'application/json' }) }
      const late = AbortSignal.timeout(this.#limitMs)
      const ends = signal ? AbortSignal.any([signal, late]) : late
      const fail = (error: unknown): void => {
        if (signal?.aborted) reject(signal.reason)
        else reject(late.aborted ? this.#late(method, path) : broken(this.#socket, error))
      }
      // A connection of its own: one that was kept may have died with the last daemon, and what was sent on it is then in doubt.
      const to = { socketPath: this.#socket, method, path, headers, signal: ends, agent: false }
      const asked = request(to, (response) => {
        const parts: Buffer[] = []
        let bytes = 0
        response.on('data', (part: Buffer) => {
          bytes += part.length
          if (bytes > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too long'))
          else parts.push(part)
        })
        response.once('error', fail)
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(parts).toString(),
            headers: response.headers,
          }),
        )
      })
      asked.once('error', fail)
      asked.end(sent)
    })
  }

  #late(method: string, path: string): TidepoolError {
    return new TidepoolError('daemon-late', `${method} ${path}: no answer within ${this.#limitMs / 1000} s`, {
      temporary: true,
      hint: 'It may still be done: `tidepool status` shows what the daemon does.',
    })
  }
}
