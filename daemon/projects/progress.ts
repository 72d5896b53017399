/** How far an act on a project is, told by the act itself as it goes on. */

/** What is being done now, in words that people read. An act may come to one twice: a close saves twice. */
export type Step =
  | 'queue'
  | 'plan'
  | 'fetch'
  | 'receive'
  | 'mount'
  | 'snapshot'
  | 'send'
  | 'commit'
  | 'unmount'
  | 'prove'
  | 'destroy'
  | 'release'

export interface Progress {
  readonly step: Step
  /** Of this step; left out where it moves none. */
  readonly doneBytes?: bigint
  /** Left out where nobody knows before its end. */
  readonly totalBytes?: bigint
}

/** Called often, so it returns at once, and never throws. */
export type OnProgress = (progress: Progress) => void

/** The same bytes; each piece is told before it is handed on. */
export async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  told: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    told(piece.length)
    yield piece
  }
}
