/** Looks at a catalogue's first bytes before LMDB does: what is not a file of its own ends the whole process there. */
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, TidepoolError } from '../../base/errors.ts'
import { readAt } from './disk.ts'

/** Behind the header of the first page: the magic number and the version of the layout. */
const MAGIC_OFFSET = 24
const MAGIC = 0xbeefc0de
const LAYOUT = 2
/** Two pages that say where everything begins. */
const MIN_BYTES = 2 * 4096

/** `fresh`: it need not be there yet. */
export async function refuseForeign(directory: string, { fresh }: { fresh: boolean }): Promise<void> {
  const path = join(directory, 'data.mdb')
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    if (fresh && errnoOf(error) === 'ENOENT') return
    throw error
  }
  try {
    const { size } = await file.stat()
    if (fresh && size === 0) return
    const head = Buffer.alloc(MAGIC_OFFSET + 8)
    await readAt(file, head, 0)
    if (size < MIN_BYTES || head.readUInt32LE(MAGIC_OFFSET) !== MAGIC)
      throw damaged(`${path} is no LMDB file`)
    if (head.readUInt16LE(MAGIC_OFFSET + 4) !== LAYOUT) throw damaged(`${path} has another LMDB's layout`)
  } finally {
    await file.close()
  }
}

function damaged(what: string): TidepoolError {
  return new TidepoolError('catalogue-damaged', `the catalogue can't be opened: ${what}`, {
    hint: 'Look at the disk, then restore the catalogue from a backup; the streams themselves are plain files.',
  })
}
