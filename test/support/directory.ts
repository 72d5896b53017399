/** A directory of a test's own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hideShown } from './shown.ts'

export async function temporaryDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'tidepool-test-'))
  const remove = async (): Promise<void> => {
    await hideShown(path)
    // What a test has killed may write its last word while its directory goes.
    await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
  return { path, remove }
}
