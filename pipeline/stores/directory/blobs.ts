/** The chunks of a directory store: one plain file a write, and its chunks' digests in another beside it. */

import { constants } from 'node:fs'
import { access, open, rm, rmdir } from 'node:fs/promises'
import { errnoOf, TidepoolError } from '../../base/errors.ts'
import type { ProjectId } from '../../base/ids.ts'
import { MIB } from '../../base/units.ts'
import { writeWhole } from '../../base/write-whole.ts'
import { chunkLength } from '../../transfer/manifest.ts'
import type { BlobReader, BlobStore, BlobWriter, CallOptions, Chunk, WriteExtent } from '../contract.ts'
import { openBlobReader } from './blob-reader.ts'
import { createBlobWriter } from './blob-writer.ts'
import { diskError, makeDirectory, syncDirectory } from './disk.ts'
import {
  DIGEST_BYTES,
  FILE_MODE,
  markerFile,
  projectsDirectory,
  type WritePaths,
  writePaths,
} from './layout.ts'
import { missingChunks } from './missing.ts'
import { removeStoredFile, storedFiles } from './stored.ts'

const DEFAULT_CHUNK_BYTES = MIB

export interface BlobHooks {
  /** Throws once the store was closed. */
  readonly ensureOpen: () => void
  /** Before a write begins: rejects where the store takes no more. */
  readonly beforeCreate: () => Promise<void>
  /** Before a write's files go: sees to it that `chain` no longer names them. */
  readonly beforeUnlink: (project: ProjectId) => Promise<void>
  readonly afterUnlink: () => Promise<void>
}

export function directoryBlobs(root: string, hooks: BlobHooks): BlobStore {
  const opened = new Set<{ close(): Promise<void> }>()
  /** Counted until it is closed, so that the store's end leaves no file open, also one that was just being opened. */
  const track = async <Held extends BlobReader | BlobWriter>(held: Held): Promise<Held> => {
    const close = held.close.bind(held)
    try {
      hooks.ensureOpen()
    } catch (error) {
      await close()
      throw error
    }
    opened.add(held)
    return Object.assign(held, {
      async close() {
        opened.delete(held)
        await close()
      },
    })
  }
  const begin = (options?: CallOptions): void => {
    options?.signal?.throwIfAborted()
    hooks.ensureOpen()
  }
  return {
    defaultChunkBytes: DEFAULT_CHUNK_BYTES,

    async create(write, options) {
      begin(options)
      await hooks.beforeCreate()
      return track(await createBlobWriter(root, write))
    },

    async open(write, options): Promise<BlobReader> {
      begin(options)
      try {
        return await track(await openBlobReader(root, write))
      } catch (error) {
        await stillThere(root)
        throw error
      }
    },

    async remove(write, options) {
      begin(options)
      await hooks.beforeUnlink(write.project)
      await unlinkBoth(writePaths(root, write))
      await hooks.afterUnlink()
    },

    async *missing(write, options) {
      begin(options)
      await stillThere(root)
      yield* missingChunks(root, write, options)
    },

    async mend(write, seq, chunk, options) {
      begin(options)
      await mendChunk(root, write, seq, chunk)
    },

    async *stored(options) {
      begin(options)
      await stillThere(root)
      yield* storedFiles(root, options)
    },

    async removeStored(entry, options) {
      begin(options)
      if (entry.project) await hooks.beforeUnlink(entry.project)
      await removeStoredFile(root, entry)
      await hooks.afterUnlink()
    },

    async close() {
      await Promise.all([...opened].map((held) => held.close()))
    },
  }
}

/** A file system that is not mounted looks as if every chunk were missing: then say that, and nothing of chunks. */
async function stillThere(root: string): Promise<void> {
  try {
    await access(markerFile(root), constants.F_OK)
  } catch (cause) {
    throw new TidepoolError('store-gone', `${root} no longer holds the store that was opened there`, {
      cause,
      hint: 'Is its file system still mounted?',
    })
  }
}

async function unlinkBoth(paths: WritePaths): Promise<void> {
  try {
    await Promise.all([rm(paths.stream, { force: true }), rm(paths.sums, { force: true })])
    await syncDirectory(paths.directory)
    await rmdir(paths.directory)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno !== 'ENOENT' && errno !== 'ENOTEMPTY' && errno !== 'EEXIST')
      throw diskError('remove', paths.stream, error)
  }
}

/**
 * In place: only what was proved damaged changes, and it stays damaged, so is mended again, if this is cut short. A
 * copy put in its place by a rename would need room for the whole stream, terabytes of it, to mend a mebibyte. Who
 * reads just then gets a digest that does not match, and looks a second time.
 */
async function mendChunk(root: string, write: WriteExtent, seq: number, chunk: Chunk): Promise<void> {
  const paths = writePaths(root, write)
  if (!(seq >= 0 && seq < write.chunkCount) || chunk.data.length !== chunkLength(write, seq))
    throw new RangeError(`chunk ${seq} of ${write.chunkCount} can't be ${chunk.data.length} bytes`)
  try {
    await makeDirectory(projectsDirectory(root))
    await makeDirectory(paths.directory)
    const flags = constants.O_RDWR | constants.O_CREAT
    await using stream = await open(paths.stream, flags, FILE_MODE)
    await using sums = await open(paths.sums, flags, FILE_MODE)
    await writeWhole(stream, chunk.data, seq * write.chunkBytes)
    if ((await stream.stat({ bigint: true })).size > write.bytes) await stream.truncate(Number(write.bytes))
    await writeWhole(sums, chunk.digest, seq * DIGEST_BYTES)
    await stream.datasync()
    await sums.datasync()
    await syncDirectory(paths.directory)
  } catch (error) {
    throw diskError('mend', paths.stream, error)
  }
}
