/**
 * What the access process and the daemon say to each other: JSON, a message a line. Either may be older than the other, because a
 * daemon is replaced under a running access process: what one does not know it passes over.
 */
import { z } from 'zod'
import { FUSE_OPERATIONS } from '../../native/fuse/answers.ts'
import { ERRNOS } from '../../native/fuse/errno.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { SHOWN } from './layer.ts'

/** Far above the longest message of ours; what is longer is no message. */
export const MAX_LINE_BYTES = 64 * 1024
/** So many ids of 63 letters fit in a line. */
export const MAX_IDS = 500

const seq = z.number().int().nonnegative()
const id = z.string().transform((text, context): ProjectId => {
  try {
    return projectId(text)
  } catch {
    context.addIssue(`${text.slice(0, 100)} is no project id`)
    return z.NEVER
  }
})
const ids = z.array(id).max(MAX_IDS)

/** Those that only one of the two knows are left out. */
const counts = <Name extends string>(names: readonly Name[]) =>
  z.object(
    Object.fromEntries(names.map((name) => [name, seq.default(0)])) as Record<Name, z.ZodDefault<typeof seq>>,
  )

/** From the access process. `seq` is its own, and comes back with the answer. */
export const request = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('open'), seq, id }),
  /** The caller has left: its deadline has passed. */
  z.object({ ask: z.literal('leave'), seq }),
  z.object({ ask: z.literal('list'), seq, what: z.enum(SHOWN) }),
  z.object({ ask: z.literal('used'), ids }),
  /** What it has counted since it began; told when it connects, and every few seconds where that has changed. */
  z.object({
    ask: z.literal('figures'),
    process: z.string().max(64),
    waiting: seq,
    answers: counts(FUSE_OPERATIONS),
    errors: counts(ERRNOS),
  }),
  /** The answer to `forget`: from now on nothing is answered that was true before it. */
  z.object({ ask: z.literal('forgot'), seq }),
])
export type Request = z.infer<typeof request>

/** From the daemon. */
export const reply = z.discriminatedUnion('tell', [
  z.object({ tell: z.literal('path'), seq, path: z.string().max(4095) }),
  z.object({ tell: z.literal('failed'), seq, errno: z.enum(ERRNOS).catch('EIO') }),
  /** A part of the list; the last one has no more. */
  z.object({ tell: z.literal('listed'), seq, ids, more: z.boolean() }),
  /** With an id: what was held of it is over. */
  z.object({ tell: z.literal('forget'), seq, id: id.optional() }),
  /** Is about to be unmounted: whoever wants it is to ask, until it is forgotten. Answered like a `forget`. */
  z.object({ tell: z.literal('hold'), seq, id }),
  /** Was mounted this moment, whoever asked for it: a listing is to show it. Not answered. */
  z.object({ tell: z.literal('mounted'), id }),
])
export type Reply = z.infer<typeof reply>

export const toLine = (message: Request | Reply): string => `${JSON.stringify(message)}\n`

/**
 * The messages of a connection until it ends. Throws `bad-line` on what is no line of JSON or longer than one may be: whoever sends
 * that is not the other half of this program.
 */
export async function* messages<T>(
  source: AsyncIterable<Buffer>,
  schema: z.ZodType<T>,
): AsyncGenerator<T, void, void> {
  for await (const line of lines(source)) {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch (error) {
      throw badLine('it is not JSON', error)
    }
    const known = schema.safeParse(value)
    if (known.success) yield known.data
  }
}

async function* lines(source: AsyncIterable<Buffer>): AsyncGenerator<string, void, void> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const piece of source) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    let from = 0
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, from)) {
      if (end - from > MAX_LINE_BYTES) throw badLine('it is too long')
      yield rest.toString('utf8', from, end)
      from = end + 1
    }
    rest = rest.subarray(from)
    if (rest.length > MAX_LINE_BYTES) throw badLine('it is too long')
  }
}

function badLine(why: string, cause?: unknown): TidepoolError {
  return new TidepoolError('bad-line', `a message between daemon and access process cannot be read: ${why}`, {
    cause,
    hint: 'Nothing but the access process may use that socket.',
  })
}
