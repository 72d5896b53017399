/** Follows what a daemon tells over connections that break and daemons that are started again. */
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from '../../pipeline/base/errors.ts'
import { eventSource, type Received } from './event-source.ts'
import type { Where } from './reach.ts'
import type { HostEventView, OperationStatus } from './types.ts'

export interface EventsOptions {
  /** The id of an event: what came after it. @default from now on */
  readonly after?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** How long no daemon may answer. @default 5 min */
  readonly giveUpAfterMs?: number
  /** Of a connection on which nothing comes. @default 35 s */
  readonly silenceLimitMs?: number
}

const GIVE_UP_AFTER_MS = 5 * 60_000
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2_000
/** What another connection may mend. */
const PASSING = new Set(['daemon-missing', 'daemon-left', 'shutting-down', 'streams-full'])

export async function* followEvents(
  where: Where,
  options: EventsOptions,
): AsyncGenerator<HostEventView, never> {
  for await (const { data } of reconnecting(where, '/v1/events', options)) yield data as HostEventView
  throw new TypeError('events have no end')
}

export async function* followOperation(
  where: Where,
  operation: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<OperationStatus, void> {
  const path = `/v1/operations/${operation}/events`
  for await (const { event, data } of reconnecting(where, path, { signal }, true)) {
    yield data as OperationStatus
    if (event === 'ended') return
  }
}

/** Has no end. A daemon that was not there at all is not waited for. */
async function* reconnecting(
  where: Where,
  path: string,
  { after, signal, giveUpAfterMs = GIVE_UP_AFTER_MS, silenceLimitMs }: EventsOptions,
  /** Somebody has told what there is to follow. */
  wasThere = after !== undefined,
): AsyncGenerator<Received, void> {
  let lastEventId = after
  let pauseMs = FIRST_PAUSE_MS
  let isThere = wasThere
  let missingSinceMs: number | undefined
  for (;;) {
    try {
      const onOpen = (): void => {
        isThere = true
        missingSinceMs = undefined
        pauseMs = FIRST_PAUSE_MS
      }
      for await (const event of eventSource(where, path, { lastEventId, signal, silenceLimitMs, onOpen })) {
        lastEventId = event.id
        yield event
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (!PASSING.has(codeOf(error) ?? '') || !isThere) throw error
      missingSinceMs ??= performance.now()
      if (performance.now() - missingSinceMs > giveUpAfterMs) throw error
    }
    await delay(pauseMs, undefined, signal ? { signal } : {}).catch(() => {})
    signal?.throwIfAborted()
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
  }
}
