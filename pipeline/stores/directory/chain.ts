/** Keeps each project's `chain` file: the names of the streams that lead to its head, in the order in which a shell receives them. */
import { randomUUID } from 'node:crypto'
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../base/errors.ts'
import type { ProjectId } from '../../base/ids.ts'
import { pathToHead } from '../../graph/plan.ts'
import type { Project } from '../../graph/state.ts'
import { diskError, makeDirectory, syncDirectory } from './disk.ts'
import { CHAIN, chainFile, FILE_MODE, projectDirectory, streamName, temporaryDirectory } from './layout.ts'

/** The file's text; null where the project has no head, or none that can be reached: then what stands there stays the best there is. */
export function chainText(project: Project): string | null {
  const path = pathToHead(project)
  return path ? path.map((row) => `${streamName(row.writeId)}\n`).join('') : null
}

/**
 * Makes `chain` say what the project's rows say. Two processes may do this at once, each from what it had read, so each
 * looks again after its rename: whoever renames last has then seen the last transaction.
 */
export async function rewriteChain(
  root: string,
  id: ProjectId,
  read: () => Promise<Project | undefined>,
): Promise<void> {
  const file = chainFile(root, id)
  try {
    for (let project = await read(); project; ) {
      const text = chainText(project)
      if (text === null || text === (await textOf(file))) return
      await replace(root, id, text)
      const seen = project
      project = await read()
      if (project && chainText(project) === chainText(seen)) return
    }
  } catch (error) {
    throw diskError('rewrite', file, error)
  }
}

async function replace(root: string, id: ProjectId, text: string): Promise<void> {
  const file = chainFile(root, id)
  const directory = projectDirectory(root, id)
  if (text === '') await rm(file, { force: true })
  else {
    await makeDirectory(temporaryDirectory(root))
    const temporary = join(temporaryDirectory(root), `${CHAIN}.${randomUUID()}`)
    try {
      {
        await using handle = await open(temporary, 'wx', FILE_MODE)
        await handle.writeFile(text)
        await handle.datasync()
      }
      await rename(temporary, file)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }
  await syncDirectory(directory)
}

/** Empty where there is none. */
async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  }
}

/** Nobody takes that long over one small file. */
const LEFT_OVER_MS = 3_600_000

/** Removes what crashes left between the writing of a file and its rename. */
export async function sweepTemporary(root: string): Promise<void> {
  const directory = temporaryDirectory(root)
  try {
    for (const name of await readdir(directory)) {
      const { mtimeMs } = await stat(join(directory, name))
      if (Date.now() - mtimeMs > LEFT_OVER_MS) await rm(join(directory, name), { force: true })
    }
  } catch (error) {
    // Another process sweeps too.
    if (errnoOf(error) !== 'ENOENT') throw diskError('clean', directory, error)
  }
}
