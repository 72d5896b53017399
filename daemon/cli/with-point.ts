/** An old point of a project beside the project itself, for as long as a command looks into it. */
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { Cli } from './cli.ts'

export interface OldState {
  readonly point: string
  /** Where it is mounted, read-only. */
  readonly path: string
}

/** Not cut off by Ctrl-C: what was mounted for the command alone is to go then, too. */
const REMOVE_LIMIT_MS = 30_000

/** What was there before stays; what was mounted for this goes again, however `look` ends. */
export async function withPoint<T>(
  cli: Cli,
  id: ProjectId,
  which: object,
  look: (old: OldState) => Promise<T>,
): Promise<T> {
  const restored = await cli.ask<OldState & { isNew: boolean }>('POST', `/v1/projects/${id}/restore`, which)
  const { point, path, isNew } = restored
  try {
    return await look(restored)
  } finally {
    if (isNew) {
      const client = await cli.client()
      const removal = { signal: AbortSignal.timeout(REMOVE_LIMIT_MS) }
      await client
        .call('DELETE', `/v1/projects/${id}/restored/${point}`, removal)
        .catch((error: unknown) => cli.warn(`point ${point} stays mounted at ${path}`, error))
    }
  }
}
