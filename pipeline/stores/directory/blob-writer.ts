/** Writes one stream's chunks into its file, each at its own offset, and makes all of them durable in the end. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { EarlyFlush } from '../../base/early-flush.ts'
import { errnoOf } from '../../base/errors.ts'
import { writeWhole } from '../../base/write-whole.ts'
import type { BlobWriter, CallOptions, WriteRef } from '../contract.ts'
import { diskError, makeDirectory, syncDirectory } from './disk.ts'
import { DIGEST_BYTES, FILE_MODE, projectsDirectory, type WritePaths, writePaths } from './layout.ts'

/** No O_EXCL: where `create` failed half-way it may be called again; a write id itself never comes twice. */
const FLAGS = constants.O_RDWR | constants.O_CREAT

export async function createBlobWriter(root: string, write: WriteRef): Promise<BlobWriter> {
  const paths = writePaths(root, write)
  try {
    const [stream, sums] = await openBoth(root, paths)
    return new DirectoryWriter(write.chunkBytes, paths, stream, sums)
  } catch (error) {
    throw diskError('create', paths.stream, error)
  }
}

async function openBoth(root: string, paths: WritePaths): Promise<[FileHandle, FileHandle]> {
  for (let attempt = 1; ; attempt++) {
    await makeDirectory(projectsDirectory(root))
    await makeDirectory(paths.directory)
    let stream: FileHandle | undefined
    try {
      stream = await open(paths.stream, FLAGS, FILE_MODE)
      return [stream, await open(paths.sums, FLAGS, FILE_MODE)]
    } catch (error) {
      await stream?.close()
      // Whoever removes a project's last write removes its directory too, perhaps just now.
      if (errnoOf(error) !== 'ENOENT' || attempt === 5) throw error
    }
  }
}

class DirectoryWriter implements BlobWriter {
  readonly #chunkBytes: number
  readonly #paths: WritePaths
  readonly #stream: FileHandle
  readonly #sums: FileHandle
  readonly #flush: EarlyFlush
  #closing: Promise<void> | undefined

  constructor(chunkBytes: number, paths: WritePaths, stream: FileHandle, sums: FileHandle) {
    this.#chunkBytes = chunkBytes
    this.#paths = paths
    this.#stream = stream
    this.#sums = sums
    this.#flush = new EarlyFlush(stream)
  }

  /** Ends a begun write before it rejects for an abort: until then the kernel still reads from `data`. */
  async put(seq: number, data: Buffer, digest: Buffer, options?: CallOptions): Promise<void> {
    options?.signal?.throwIfAborted()
    if (data.length > this.#chunkBytes || digest.length !== DIGEST_BYTES)
      throw new RangeError(`chunk ${seq}: ${data.length} bytes with a digest of ${digest.length}`)
    try {
      await writeWhole(this.#stream, data, seq * this.#chunkBytes)
      // Only now, so that a sum never stands for bytes that were not written.
      await writeWhole(this.#sums, digest, seq * DIGEST_BYTES)
    } catch (error) {
      throw diskError('write', this.#paths.stream, error)
    }
    if (!this.#closing) this.#flush.wrote(data.length)
    options?.signal?.throwIfAborted()
  }

  async seal(options?: CallOptions): Promise<void> {
    options?.signal?.throwIfAborted()
    try {
      await this.#flush.check()
      await Promise.all([this.#stream.datasync(), this.#sums.datasync()])
      await syncDirectory(this.#paths.directory)
      // Whoever made the project's directory may have died before it made that durable.
      await syncDirectory(dirname(this.#paths.directory))
    } catch (error) {
      throw diskError('make durable', this.#paths.stream, error)
    }
    options?.signal?.throwIfAborted()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#flush.settled()
    // Each waits for what is still being written through it.
    await Promise.all([this.#stream.close(), this.#sums.close()])
  }
}
