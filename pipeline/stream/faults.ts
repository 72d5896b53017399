/** Why a stream is refused: one code for each kind of wrong input, with the byte it was seen at and what to do. */
import { TidepoolError } from '../base/errors.ts'

export type StreamFaultCode =
  | 'stream-empty'
  | 'stream-not-zfs'
  | 'stream-truncated'
  | 'stream-concatenated'
  | 'stream-corrupt'
  | 'stream-malformed'
  | 'stream-compound'
  | 'stream-resumed'
  | 'stream-deduplicated'
  | 'stream-redacted'

const HINTS: Readonly<Record<StreamFaultCode, string>> = {
  'stream-empty': 'Look at what should have written the stream: a `zfs send` that fails writes nothing.',
  'stream-not-zfs': 'Give the output of `zfs send`, not compressed and not wrapped by another program.',
  'stream-truncated': 'Send it again, and look at why the sender stopped early.',
  'stream-concatenated': 'Put each stream on its own: a receiver would silently lose all but the first.',
  'stream-corrupt':
    'Send it again; if it comes again, test the memory, the disk and the link that it came over.',
  'stream-malformed': 'Send it again with a released version of ZFS; no receiver would take this one.',
  'stream-compound': 'Send without -R, -I and -p: one `zfs send SNAPSHOT` or `zfs send -i FROM TO` a stream.',
  'stream-resumed': 'Send the whole stream again instead of the rest of one with -t.',
  'stream-deduplicated': 'Send without -D, or undo it with `zstream redup`.',
  'stream-redacted': 'Send without --redact: a redacted copy cannot stand for the snapshot.',
}

/** `offset` is where the record or field at fault starts, or where the first missing or surplus byte is. */
export function streamFault(code: StreamFaultCode, offset: bigint, why: string): TidepoolError {
  return new TidepoolError(code, `the stream is refused at byte ${offset}: ${why}`, {
    hint: HINTS[code],
    // As text: a program reads this as JSON, whose numbers end at 2^53.
    facts: { offset: String(offset) },
  })
}
