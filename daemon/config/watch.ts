/** Tells when a file was changed, also by an editor that puts another one in its place. */
import { dirname, resolve } from 'node:path'
import { watch } from 'chokidar'

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
