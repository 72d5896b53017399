/**
 * Server-sent events: what a route answers that goes on. A reader who does not take what he is sent is cut off: he comes back
 * with the id of the last event that he had, and is told what he missed.
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { toJson } from '../cli/output.ts'

export interface Frame {
  readonly id: string
  readonly event: string
  readonly data: object
}

/** The answer of a route whose document says `text/event-stream`. */
export class EventStream {
  readonly frames: (signal: AbortSignal) => AsyncIterable<Frame>

  constructor(frames: EventStream['frames']) {
    this.frames = frames
  }
}

export interface EventStreamOptions {
  /** A comment as often as this shows that the daemon is there. @default 10 s */
  readonly heartbeatMs?: number
  /** How long a reader may let what he was sent lie. @default 30 s */
  readonly drainLimitMs?: number
  /** @default 200 */
  readonly max?: number
}

const HEARTBEAT_MS = 10_000
const DRAIN_LIMIT_MS = 30_000
const MAX_STREAMS = 200

export class EventStreams {
  readonly #options: Required<EventStreamOptions>
  #open = 0

  constructor(options: EventStreamOptions = {}) {
    this.#options = { heartbeatMs: HEARTBEAT_MS, drainLimitMs: DRAIN_LIMIT_MS, max: MAX_STREAMS, ...options }
  }

  /** Throws `streams-full` while the request can still be answered with it. */
  checkRoom(): void {
    if (this.#open >= this.#options.max) throw full(this.#options.max)
  }

  /** Resolves when it has ended: the frames did, the reader left, or the signal fired. */
  async send(stream: EventStream, response: ServerResponse, signal: AbortSignal): Promise<void> {
    this.#open++
    response.on('error', () => {})
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // Kept for another request, it would keep a daemon from stopping.
      connection: 'close',
    })
    response.write(': tidepool\n\n')
    const beat = setInterval(() => {
      if (!response.writableNeedDrain) response.write(': \n\n')
    }, this.#options.heartbeatMs)
    try {
      for await (const frame of stream.frames(signal)) {
        if (signal.aborted || response.destroyed) break
        if (!response.write(textOf(frame))) await this.#drained(response, signal)
      }
    } catch {
      // It is cut off below; whoever reads comes back.
    } finally {
      clearInterval(beat)
      this.#open--
      // What he has not taken yet he will not take now.
      if (response.writableNeedDrain) response.destroy()
      else response.end()
    }
  }

  async #drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
    const late = AbortSignal.timeout(this.#options.drainLimitMs)
    await once(response, 'drain', { signal: AbortSignal.any([late, signal]) })
  }
}

const textOf = ({ id, event, data }: Frame): string => `id: ${id}\nevent: ${event}\ndata: ${toJson(data)}\n\n`

const full = (max: number): TidepoolError =>
  new TidepoolError('streams-full', `${max} readers of events are here already`, {
    temporary: true,
    hint: 'Let go of some, or ask GET /v1/events/recent.',
  })
