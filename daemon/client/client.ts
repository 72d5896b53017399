/**
 * Asks a daemon: one call of one route, over its Unix sockets or over TLS. Every call has a deadline and a connection of its own, so that
 * it never ends on one of a daemon that is gone; an error of the daemon comes back as the same typed error that it was there.
 */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { errorOf } from './errors.ts'
import { exchange } from './exchange.ts'
import { reach, type Where } from './reach.ts'
import type { Target } from './target.ts'

export type ClientOptions = Where & {
  /** Of each call. @default an hour: an open of a large project from afar is one */
  readonly limitMs?: number
}

export interface CallOptions {
  readonly body?: unknown
  readonly signal?: AbortSignal
}

const LIMIT_MS = 60 * 60_000

export class Client {
  readonly #where: Where
  readonly #limitMs: number

  constructor({ limitMs = LIMIT_MS, ...where }: ClientOptions) {
    this.#where = where
    this.#limitMs = limitMs
  }

  /**
   * Rejects with `daemon-missing` where nobody answers, with `daemon-left` where it went away before it had answered. Over a socket that is
   * root's alone, whoever is not root is answered what the owner of the project may know.
   */
  async call<Answer = Record<string, unknown>>(
    method: string,
    path: string,
    { body, signal }: CallOptions = {},
  ): Promise<Answer> {
    const late = AbortSignal.timeout(this.#limitMs)
    const ends = signal ? AbortSignal.any([signal, late]) : late
    try {
      return (await reach(this.#where, path, (target) => asked(target, method, path, body, ends))) as Answer
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw late.aborted ? lateOf(method, path, this.#limitMs) : error
    }
  }
}

async function asked(
  target: Target,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const { status, text } = await exchange(target, { method, path, body, signal })
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch (cause) {
    throw new TidepoolError('daemon-answer', `${target.name} does not answer as a daemon of ours`, { cause })
  }
  if (status < 300) return answer
  throw errorOf(target, answer)
}

function lateOf(method: string, path: string, limitMs: number): TidepoolError {
  return new TidepoolError('daemon-late', `${method} ${path}: no answer within ${limitMs / 1000} s`, {
    temporary: true,
    hint: 'It may still be done: `tidepool status` shows what the daemon does.',
  })
}
