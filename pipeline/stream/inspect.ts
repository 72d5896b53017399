/** Passes a stream on as it flows and checks it on the way. */
import type { StreamBegin, StreamFacts, StreamParser } from './parser.ts'

/**
 * Yields the very pieces of `source`, empty ones left out. The bytes up to the end of BEGIN are held back until it is
 * accepted and `onBegin` has settled. A fault may show only at the end, after all bytes were passed on: what was made
 * of them counts only once this returns, with the facts. Closes `source` when the caller leaves early or a fault shows;
 * an error of the source comes out as it is.
 */
export async function* inspect(
  source: AsyncIterable<Uint8Array>,
  parser: StreamParser,
  onBegin?: (begin: StreamBegin) => void | Promise<void>,
): AsyncGenerator<Uint8Array, StreamFacts, void> {
  const held: Uint8Array[] = []
  let told = false
  for await (const bytes of source) {
    if (bytes.length === 0) continue
    parser.push(bytes)
    if (told) {
      yield bytes
      continue
    }
    held.push(bytes)
    if (parser.begin === undefined) continue
    told = true
    await onBegin?.(parser.begin)
    yield* held.splice(0)
  }
  return parser.end()
}
