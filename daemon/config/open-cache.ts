/** The cache of streams that a configuration wants. */
import { messageOf } from '../../pipeline/base/errors.ts'
import { StreamCache } from '../../pipeline/stores/stream-cache/index.ts'
import type { Config } from './schema.ts'

/** Undefined where none is wanted. What can't be kept is told, and read from the store. */
export async function openCache(
  { cache: { directory, maxBytes } }: Config,
  say: ((line: string) => void) | undefined,
): Promise<StreamCache | undefined> {
  if (directory === undefined) return undefined
  return StreamCache.open(directory, {
    maxBytes,
    onProblem: (error) => say?.(`stream cache: ${messageOf(error)}`),
  })
}
