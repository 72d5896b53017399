/** Lists the files that hold streams, whatever the catalogue says of them. */
import type { Dirent } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../base/errors.ts'
import { type ProjectId, projectId, type WriteId, writeId } from '../../base/ids.ts'
import type { CallOptions, StoredEntry } from '../contract.ts'
import { diskError, readError, syncDirectory } from './disk.ts'
import { CHAIN, projectsDirectory, STREAM_SUFFIX, SUMS_SUFFIX } from './layout.ts'

/** The cursor is the path below `projects`, in the order of its two names. */
export async function* storedFiles(
  root: string,
  { signal, after }: CallOptions & { readonly after?: string } = {},
): AsyncGenerator<StoredEntry, void, undefined> {
  const [afterDirectory = '', afterFile = ''] = after?.split('/') ?? []
  const top = projectsDirectory(root)
  for (const directory of await names(top, (entry) => entry.isDirectory())) {
    signal?.throwIfAborted()
    if (directory < afterDirectory) continue
    for (const file of await names(join(top, directory), (entry) => !entry.isDirectory())) {
      if (file === CHAIN || (directory === afterDirectory && file <= afterFile)) continue
      signal?.throwIfAborted()
      yield {
        project: checked(projectId, directory),
        writeId: writeOf(file),
        what: join('projects', directory, file),
        cursor: `${directory}/${file}`,
      }
    }
  }
}

export async function removeStoredFile(root: string, entry: StoredEntry): Promise<void> {
  const [directory, file] = entry.cursor.split('/')
  if (!directory || !file || directory === '..' || file === '..' || file === CHAIN)
    throw new RangeError(`${entry.cursor} is no entry of this store`)
  const parent = join(projectsDirectory(root), directory)
  try {
    await rm(join(parent, file), { force: true })
    await syncDirectory(parent)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw diskError('remove', join(parent, file), error)
  }
}

function writeOf(file: string): WriteId | null {
  for (const suffix of [STREAM_SUFFIX, SUMS_SUFFIX])
    if (file.endsWith(suffix)) return checked(writeId, file.slice(0, -suffix.length))
  return null
}

function checked<Id extends ProjectId | WriteId>(check: (text: string) => Id, text: string): Id | null {
  try {
    return check(text)
  } catch {
    // Not a name that we give: the entry is listed, and nobody can judge it.
    return null
  }
}

async function names(path: string, wanted: (entry: Dirent) => boolean): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true })
    return entries.flatMap((entry) => (wanted(entry) ? entry.name : [])).sort()
  } catch (error) {
    // A project's directory leaves with its last write.
    if (errnoOf(error) === 'ENOENT') return []
    throw readError('list', path, error)
  }
}
