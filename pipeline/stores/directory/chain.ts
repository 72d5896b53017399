/** Keeps each project's `chain` file: the names of the streams that lead to its head, in the order in which a shell receives them. */
import { open, readFile, rename, rm } from 'node:fs/promises'
import { errnoOf } from '../../base/errors.ts'
import type { ProjectId } from '../../base/ids.ts'
import { pathToHead } from '../../graph/plan.ts'
import type { Project } from '../../graph/state.ts'
import { diskError, syncDirectory } from './disk.ts'
import { chainFile, projectDirectory, streamName } from './layout.ts'

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
    const temporary = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`
    try {
      {
        await using handle = await open(temporary, 'wx', 0o644)
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
