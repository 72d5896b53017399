/** A file that appears whole or not at all, whatever happens while it is written. */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EarlyFlush } from './early-flush.ts'
import { errnoOf } from './errors.ts'

/**
 * Writes the pieces into a temporary beside `path`, makes it durable, and only then gives it its name; what had that
 * name before is replaced whole. A piece is done with when the next is asked for. On any failure the temporary is
 * removed and `path` is as it was. A symbolic link is followed.
 */
export async function writeAtomically(
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: { readonly mode?: number } = {},
): Promise<void> {
  const target = await followed(path)
  const directory = dirname(target)
  const temporary = join(directory, `.${basename(target).slice(0, 100)}.${randomUUID()}.part`)
  const file = await open(temporary, 'wx', options.mode ?? 0o666)
  try {
    const flush = new EarlyFlush(file)
    try {
      for await (const piece of pieces) {
        await writeWhole(file, piece)
        flush.wrote(piece.length)
      }
      await flush.check()
      await file.sync()
    } finally {
      await flush.settled()
      await file.close()
    }
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(directory)
}

async function followed(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return path
    throw error
  }
}

/** The kernel may take less at a time than it is given. */
async function writeWhole(file: FileHandle, data: Uint8Array): Promise<void> {
  let done = 0
  while (done < data.length) done += (await file.write(data, done)).bytesWritten
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
