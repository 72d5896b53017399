/**
 * Asks a daemon: one call of one route, over its Unix sockets or over TLS. Every call has a deadline, an error of the daemon comes back as
 * the same typed error that it was there, and what may be asked twice is asked again while a daemon restarts.
 */
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { again } from './again.ts'
import { errorOf } from './errors.ts'
import { exchange } from './exchange.ts'
import { type EventsOptions, followEvents, followOperation } from './follow.ts'
import { reach, type Where } from './reach.ts'
import type { Target } from './target.ts'
import type { HostEventView, OperationStatus } from './types.ts'
import { ProjectVerbs } from './verbs.ts'

export type ClientOptions = Where & {
  /** Of each call. @default an hour: an open of a large project from afar is one; a minute for what only looks */
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
const LOOK_LIMIT_MS = 60_000
const RESTART_MS = 15_000

export class Client {
  /** The verbs of a project. */
  readonly projects = new ProjectVerbs(this)
  readonly #where: Where
  readonly #limitMs: number | undefined
  readonly #restartMs: number
  /** Whether a daemon has ever answered: then one that is missing is perhaps started again. */
  #reached = false

  constructor({ limitMs, restartMs = RESTART_MS, ...where }: ClientOptions) {
    this.#where = where
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
    return followOperation(this.#where, operation, signal)
  }

  cancel(operation: string, signal?: AbortSignal): Promise<OperationStatus> {
    return this.call('DELETE', `/v1/operations/${operation}`, { signal })
  }

  /**
   * What happens on the host, over restarts of its daemon. Never ends by itself: it rejects where no daemon answers for
   * `giveUpAfterMs`, and with the signal's reason.
   */
  events(options: EventsOptions = {}): AsyncGenerator<HostEventView, never> {
    return followEvents(this.#where, options)
  }

  /** Whether this socket is not for the caller, so that only the owner of a project is answered, and only about that. */
  async isOwner(): Promise<boolean> {
    if (!('socket' in this.#where)) return false
    return access(this.#where.socket, constants.W_OK).then(
      () => false,
      (error: unknown) => errnoOf(error) === 'EACCES',
    )
  }

  async #once<Answer>(
    method: string,
    path: string,
    { body, signal, headers = {} }: CallOptions,
  ): Promise<Answered<Answer>> {
    const limitMs = this.#limitMs ?? (method === 'GET' ? LOOK_LIMIT_MS : LIMIT_MS)
    const late = AbortSignal.timeout(limitMs)
    const ends = signal ? AbortSignal.any([signal, late]) : late
    try {
      return await reach(this.#where, path, async (target) => {
        const answered = await exchange(target, { method, path, body, headers, signal: ends })
        this.#reached = true
        return read<Answer>(target, answered)
      })
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw late.aborted ? lateOf(method, path, limitMs) : error
    }
  }
}

function read<Answer>(
  target: Target,
  { status, headers, text }: { status: number; headers: IncomingHttpHeaders; text: string },
): Answered<Answer> {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch (cause) {
    throw new TidepoolError('daemon-answer', `${target.name} does not answer as a daemon of ours`, { cause })
  }
  if (status >= 300) throw errorOf(answer, target.name)
  return { status, headers, answer: answer as Answer }
}

function lateOf(method: string, path: string, limitMs: number): TidepoolError {
  return new TidepoolError('daemon-late', `${method} ${path}: no answer within ${limitMs / 1000} s`, {
    temporary: true,
    hint: 'It may still be done: `tidepool status` shows what the daemon does.',
  })
}
