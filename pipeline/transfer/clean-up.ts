/** What is done at once about a put that failed; whatever can't be done is left to scrub. */
import type { ProjectId, WriteId } from '../base/ids.ts'
import { abandonWrite } from '../graph/removal.ts'
import type { Project, WriteRow } from '../graph/state.ts'
import type { Store } from '../stores/contract.ts'
import type { Manifest } from './manifest.ts'

/** How long it may take before it is left. */
const CLEAN_UP_LIMIT_MS = 20_000

/**
 * Ends the write and removes what was stored of it. Resolves with the state that it has; whatever could not be done
 * is done by scrub, which finds the write by its entry.
 */
export async function cleanUp(
  store: Store,
  project: ProjectId,
  row: WriteRow,
): Promise<WriteRow['state'] | 'gone' | 'unknown'> {
  try {
    const signal = AbortSignal.timeout(CLEAN_UP_LIMIT_MS)
    return (await abandonWrite(store, project, row, { signal })).state
  } catch {
    // The failure that led here is the one to tell; scrub ends what is left.
    return 'unknown'
  }
}

/** Where only the very last answer was lost, it happened, and is reported as what it is. */
export async function committedAfterAll(
  { catalogue }: Store,
  id: ProjectId,
  writeId: WriteId,
): Promise<{ project: Project; manifest: Manifest } | undefined> {
  try {
    const project = await catalogue.read(id, { signal: AbortSignal.timeout(CLEAN_UP_LIMIT_MS) })
    const manifest = project?.rows.get(writeId)?.manifest
    return project && manifest ? { project, manifest } : undefined
  } catch {
    // Not known is told as failed: the next put or scrub sees what it is.
    return undefined
  }
}
