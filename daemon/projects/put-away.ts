/**
 * Before the host goes down: everything that is not saved is saved within a limit, the longest unsaved first. What was not is told,
 * and stands in the state directory, so that the next start tells it too.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import type { Clock } from '../../pipeline/base/clock.ts'
import { messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { readStateFile, writeStateFile } from './state-file.ts'

export interface NotSaved {
  readonly id: ProjectId
  readonly why: string
}

export interface PutAway {
  readonly atMs: number
  readonly saved: number
  readonly notSaved: readonly NotSaved[]
}

export interface PutAwayOptions {
  readonly clock: Clock
  /** Those that may hold something that is not saved, the most urgent first. */
  readonly ids: readonly ProjectId[]
  readonly save: (id: ProjectId, signal: AbortSignal) => Promise<unknown>
  readonly withinMs: number
  readonly signal?: AbortSignal | undefined
  /** More than while the host serves: nothing else matters now, and the store's own budget bounds what moves. @default 8 */
  readonly atOnce?: number
}

/** Resolves within the limit, whatever the saves do. Rejects only with the signal's reason. */
export async function saveAll(options: PutAwayOptions): Promise<PutAway> {
  const { clock, ids, save, withinMs, signal, atOnce = 8 } = options
  const limit = new LinkedAbort(signal)
  const over = new LinkedAbort(signal)
  const why = new Map(ids.map((id) => [id, 'the time was over before its turn came']))
  const queue = [...ids]
  const worker = async (): Promise<void> => {
    for (let id = queue.shift(); id !== undefined && !limit.signal.aborted; id = queue.shift()) {
      why.set(id, 'it was still being saved when the time was over')
      try {
        await save(id, limit.signal)
        why.delete(id)
      } catch (error) {
        if (!limit.signal.aborted) why.set(id, messageOf(error))
      }
    }
  }
  // A save may be deaf to its signal for longer than there is time.
  const workers = Promise.all(Array.from({ length: Math.min(atOnce, ids.length) }, worker))
  const late = clock.sleep(withinMs, over.signal).catch(() => {})
  await Promise.race([workers, late])
  const notSaved = [...why].map(([id, reason]) => ({ id, why: reason }))
  limit.abort(
    new TidepoolError('too-late', `it was not saved within ${withinMs / 1000} s`, { temporary: true }),
  )
  over.abort(undefined)
  limit.leave()
  over.leave()
  signal?.throwIfAborted()
  return { atMs: clock.wallMs(), saved: ids.length - notSaved.length, notSaved }
}

const FILE = 'put-away.json'
const schema = z.object({
  atMs: z.int(),
  saved: z.int(),
  notSaved: z.array(z.object({ id: z.string().transform((text) => projectId(text)), why: z.string() })),
})

export const notePutAway = (directory: string, result: PutAway): Promise<void> =>
  writeStateFile(join(directory, FILE), result)

/** What the last time left; undefined where nothing was, or nobody knows. */
export async function lastPutAway(directory: string): Promise<PutAway | undefined> {
  const last = await readStateFile(join(directory, FILE), schema).catch(() => undefined)
  return last && last.notSaved.length > 0 ? last : undefined
}
