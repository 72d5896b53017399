/** Looks at a stream's first record before anything is done for it, and gives the stream on as if nobody had. */
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import { type StreamBegin, StreamParser } from '../../pipeline/stream/parser.ts'
import type { Source } from '../../pipeline/transfer/chunker.ts'

export interface Peeked {
  readonly begin: StreamBegin
  /** The whole stream, once. */
  readonly source: Source
  /** Ends the source, also where the stream was never read on. */
  close(): Promise<void>
}

/** Rejects with the stream's fault where it does not even begin as one. */
export async function peek(source: Source, outer: AbortSignal): Promise<Peeked> {
  const ending = new LinkedAbort(outer)
  const pieces = source(ending.signal)[Symbol.asyncIterator]()
  const close = async (): Promise<void> => {
    ending.leave()
    ending.abort(new Error('the stream is no longer read'))
    // It may fail once more because it was ended; nobody is left to be told.
    await pieces.return?.().catch(() => {})
  }
  try {
    const held: Uint8Array[] = []
    const parser = new StreamParser()
    while (!parser.begin) {
      const next = await pieces.next()
      if (next.done) {
        parser.end()
        break
      }
      parser.push(next.value)
      // The last piece stays its source's until the next is asked for; those before have to be copied.
      held.push(parser.begin ? next.value : Buffer.from(next.value))
    }
    const begin = parser.begin as StreamBegin
    return { begin, source: (signal) => resumed(held, pieces, ending, signal), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function* resumed(
  held: readonly Uint8Array[],
  pieces: AsyncIterator<Uint8Array>,
  ending: LinkedAbort,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const stop = (): void => ending.abort(signal.reason)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    yield* held
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
