/** One connection to a route that answers with server-sent events, and what comes over it until it ends. */
import { type IncomingMessage, request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { broken, errorOf } from './errors.ts'
import { reach, type Where } from './reach.ts'
import type { Target } from './target.ts'

export interface Received {
  readonly id: string
  readonly event: string
  readonly data: unknown
}

export interface EventSourceOptions {
  readonly lastEventId?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** How long nothing at all may come; a daemon says each 10 s that it is there. @default 35 s */
  readonly silenceLimitMs?: number | undefined
  /** The connection stands, and what comes from now on is new. */
  readonly onOpen?: () => void
}

const SILENCE_LIMIT_MS = 35_000
const MAX_EVENT_BYTES = 1024 * 1024

/** Ends where the daemon ends it; rejects with `daemon-missing` or `daemon-left`, or with the error that was answered. */
export async function* eventSource(
  where: Where,
  path: string,
  options: EventSourceOptions,
): AsyncGenerator<Received, void> {
  const { silenceLimitMs = SILENCE_LIMIT_MS } = options
  const stop = new LinkedAbort(options.signal)
  let timer: NodeJS.Timeout | undefined
  let name = 'the daemon'
  const heard = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => stop.abort(silent(silenceLimitMs)), silenceLimitMs)
  }
  try {
    heard()
    const response = await reach(where, path, async (target) => {
      name = target.name
      const opened = await connect(target, path, options.lastEventId, stop.signal)
      if (opened.statusCode !== 200) throw await refused(target, opened)
      return opened
    })
    options.onOpen?.()
    let text = ''
    for await (const part of response.setEncoding('utf8')) {
      heard()
      text += part
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      if (text.length > MAX_EVENT_BYTES)
        throw new TidepoolError('daemon-answer', `${name} sends an event without an end`)
      for (const block of blocks) {
        const event = parse(block)
        // A slow consumer is no silent daemon.
        clearTimeout(timer)
        if (event) yield event
        heard()
      }
    }
  } catch (error) {
    options.signal?.throwIfAborted()
    if (stop.signal.aborted) throw stop.signal.reason
    throw error instanceof TidepoolError ? error : left(error)
  } finally {
    clearTimeout(timer)
    stop.abort(new Error('left'))
    stop.leave()
  }
}

function connect(
  target: Target,
  path: string,
  lastEventId: string | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      ...(target.token !== undefined && { authorization: `Bearer ${target.token}` }),
    }
    const open = target.secure ? secureRequest : request
    const asked = open({ ...target.connect, path, headers, signal, agent: false }, resolve)
    asked.once('error', (error) => reject(broken(target, error)))
    asked.end()
  })
}

async function refused(target: Target, response: IncomingMessage): Promise<TidepoolError> {
  let text = ''
  for await (const part of response.setEncoding('utf8')) if (text.length < MAX_EVENT_BYTES) text += part
  return errorOf(JSON.parse(text), target.name)
}

/** Undefined for a comment. */
export function parse(block: string): Received | undefined {
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''))
  }
  const data = fields.get('data')
  if (data === undefined) return undefined
  return { id: fields.get('id') ?? '', event: fields.get('event') ?? 'message', data: JSON.parse(data) }
}

const silent = (ms: number): TidepoolError =>
  new TidepoolError('daemon-left', `nothing came from the daemon for ${ms / 1000} s`, { temporary: true })

const left = (cause: unknown): TidepoolError =>
  new TidepoolError('daemon-left', 'the daemon went away while it was listened to', {
    cause,
    temporary: true,
  })
