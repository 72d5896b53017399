/** Tells when a file was changed, also by an editor that puts another one in its place. */
import { realpath } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { watch } from 'chokidar'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Config } from './schema.ts'

/** An editor writes in several steps. */
const SETTLED_MS = 200

export interface Watching {
  close(): Promise<void>
}

/** Resolves once every later change is told of, or `failed` that none will be. */
export async function watchFile(
  file: string,
  changed: () => void,
  failed: (error: unknown) => void,
): Promise<Watching> {
  const path = resolve(file)
  const directory = dirname(path)
  // The directory, because a file that is replaced is another file.
  const watcher = watch(directory, {
    depth: 0,
    ignoreInitial: true,
    ignored: (other) => other !== path && other !== directory,
    awaitWriteFinish: { stabilityThreshold: SETTLED_MS, pollInterval: 50 },
  })
  watcher.on('add', changed).on('change', changed).on('error', failed)
  // A host without room for one more watch works all the same.
  await new Promise<void>((begun) => {
    watcher.once('ready', () => begun()).once('error', () => begun())
  })
  return { close: () => watcher.close() }
}

/**
 * What watches a directory looks at all that lies in it, also at what it is told to leave out. A look at the root of links waits for whoever
 * serves it, and could wait for ever. Rejects with `config-beside-projects`.
 */
export async function checkPlaceOf(
  file: string,
  { access, mounts }: Pick<Config, 'access' | 'mounts'>,
): Promise<void> {
  const real = (path: string): Promise<string> => realpath(path).catch(() => resolve(path))
  const directory = await real(dirname(resolve(file)))
  for (const projects of [await real(dirname(access)), await real(mounts)])
    if (projects === directory)
      throw new TidepoolError(
        'config-beside-projects',
        `projects are served or mounted in ${directory}, too`,
        {
          hint: 'Keep the configuration in a directory of its own.',
        },
      )
}
