/**
 * Asks a daemon: one call of one route over its Unix socket. Every call has a deadline, and an error of the daemon comes back as
 * the same typed error that it was there.
 */
import { request } from 'node:http'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ErrorBody } from '../control/errors.ts'

export interface ClientOptions {
  readonly socket: string
  /** Of each call. @default an hour: an open of a large project from afar is one */
  readonly limitMs?: number
}

export interface CallOptions {
  readonly body?: unknown
  readonly signal?: AbortSignal
}

const LIMIT_MS = 60 * 60_000
const MAX_ANSWER_BYTES = 256 * 1024 * 1024

export class Client {
  readonly #socket: string
  readonly #limitMs: number

  constructor({ socket, limitMs = LIMIT_MS }: ClientOptions) {
    this.#socket = socket
    this.#limitMs = limitMs
  }

  /** Rejects with `daemon-missing` where nobody answers, with `daemon-left` where it went away before it had answered. */
  async call<Answer = Record<string, unknown>>(
    method: string,
    path: string,
    { body, signal }: CallOptions = {},
  ): Promise<Answer> {
    const { status, text } = await this.#ask(method, path, body, signal)
    let answer: unknown
    try {
      answer = JSON.parse(text)
    } catch (cause) {
      throw new TidepoolError('daemon-answer', `${this.#socket} does not answer as a daemon of ours`, {
        cause,
      })
    }
    if (status < 300) return answer as Answer
    const { code, message, hint, temporary, facts } = (answer as ErrorBody).error
    throw new TidepoolError(code, message, { ...(hint !== undefined && { hint }), temporary, facts })
  }

  #ask(
    method: string,
    path: string,
    body: unknown,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const sent = body === undefined ? undefined : JSON.stringify(body)
      const headers = sent === undefined ? {} : { 'content-type': 'application/json' }
      const late = AbortSignal.timeout(this.#limitMs)
      const ends = signal ? AbortSignal.any([signal, late]) : late
      const fail = (error: unknown): void => {
        if (signal?.aborted) reject(signal.reason)
        else reject(late.aborted ? this.#late(method, path) : this.#broken(error))
      }
      const asked = request({ socketPath: this.#socket, method, path, headers, signal: ends }, (response) => {
        const parts: Buffer[] = []
        let bytes = 0
        response.on('data', (part: Buffer) => {
          bytes += part.length
          if (bytes > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too long'))
          else parts.push(part)
        })
        response.once('error', fail)
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
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

  #broken(cause: unknown): unknown {
    const errno = errnoOf(cause)
    if (errno === 'ENOENT' || errno === 'ECONNREFUSED')
      return new TidepoolError('daemon-missing', `no daemon answers on ${this.#socket}`, {
        cause,
        hint: 'Start it (systemctl start tidepool, or npm start in a checkout), or say with --socket where it is.',
      })
    if (errno === 'EACCES')
      return new TidepoolError(
        'daemon-forbidden',
        `this user may not speak to the daemon on ${this.#socket}`,
        {
          cause,
          hint: 'Ask as root.',
        },
      )
    return new TidepoolError('daemon-left', 'the daemon went away before it had answered', {
      cause,
      temporary: true,
      hint: 'It may have been done: `tidepool status` shows how things are.',
    })
  }
}
