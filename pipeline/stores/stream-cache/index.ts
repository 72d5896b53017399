/**
 * Streams that were downloaded once and verified, kept as plain files in one directory, so that what is opened again and again
 * costs the store nothing. Least recently used ones make room; the files never take more than the bound, those being written
 * included. Nothing here fails a read: what the cache can't do it tells, and the store is read.
 */
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { errnoOf, TidepoolError } from '../../base/errors.ts'
import { type WriteId, writeId } from '../../base/ids.ts'
import { DIRECTORY_MODE, FILE_MODE, STREAM_SUFFIX } from '../directory/layout.ts'
import { type CommittedWrite, fileBytesOf, readDigests } from './file.ts'
import { CachedStream } from './reader.ts'
import { CacheWriter } from './writer.ts'

export interface StreamCacheOptions {
  readonly maxBytes: bigint
  /** What could not be kept, read or removed; the streams come from the store all the same. */
  readonly onProblem?: (error: unknown) => void
  /** @default Node's own */
  readonly openFile?: (path: string, flags: string, mode?: number) => Promise<FileHandle>
}

export interface StreamCacheState {
  readonly streams: number
  readonly keptBytes: number
  readonly writingBytes: number
  readonly maxBytes: number
}

interface Kept {
  readonly sizeBytes: number
  readers: number
  /** Damaged, or about to be removed: nobody begins to read it. */
  going: boolean
}

const PART_SUFFIX = '.part'

export class StreamCache {
  readonly #directory: string
  readonly #maxBytes: number
  readonly #options: StreamCacheOptions
  readonly #kept: LRUCache<WriteId, Kept>
  readonly #writing = new Set<WriteId>()
  #writingBytes = 0
  /** One makes room at a time, or two would count on the same. */
  #making: Promise<unknown> = Promise.resolve()

  private constructor(directory: string, options: StreamCacheOptions) {
    this.#directory = directory
    this.#options = options
    this.#maxBytes = Number(options.maxBytes)
    this.#kept = new LRUCache({ maxSize: Math.max(1, this.#maxBytes) })
  }

  /** With what an earlier process kept there, the newest of it that fits. Rejects with `cache-unusable`. */
  static async open(directory: string, options: StreamCacheOptions): Promise<StreamCache> {
    const cache = new StreamCache(directory, options)
    try {
      await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE })
      await cache.#findKept()
    } catch (cause) {
      throw new TidepoolError(
        'cache-unusable',
        `streams can't be kept in ${directory}: ${errnoOf(cause) ?? cause}`,
        {
          cause,
          hint: 'Give a directory that this user may write to, or none.',
        },
      )
    }
    return cache
  }

  get state(): StreamCacheState {
    return {
      streams: this.#kept.size,
      keptBytes: this.#kept.calculatedSize,
      writingBytes: this.#writingBytes,
      maxBytes: this.#maxBytes,
    }
  }

  /** To be closed by whoever gets it. The caller has read the write as committed: a kept stream outlives its row. */
  async find(write: CommittedWrite): Promise<CachedStream | undefined> {
    const kept = this.#kept.get(write.writeId)
    if (!kept || kept.going) return undefined
    kept.readers++
    const path = this.#pathOf(write.writeId)
    let spoiled = false
    let file: FileHandle | undefined
    try {
      file = await this.#openFile(path, 'r')
      const digests = await readDigests(file, write)
      if (digests) {
        await this.#touch(path)
        return new CachedStream(file, write, digests, (spoiled) => this.#left(write.writeId, kept, spoiled))
      }
      spoiled = true
    } catch (error) {
      spoiled = errnoOf(error) === 'ENOENT'
      if (!spoiled) this.#tell(error)
    }
    await file?.close().catch((error) => this.#tell(error))
    await this.#left(write.writeId, kept, spoiled)
    return undefined
  }

  /** The order in which a later process finds them. */
  async #touch(path: string): Promise<void> {
    const now = new Date()
    await utimes(path, now, now).catch((error) => this.#tell(error))
  }

  /** To be closed by whoever gets it; undefined where it is kept or being written already, or there is no room. */
  async begin(write: CommittedWrite): Promise<CacheWriter | undefined> {
    const { writeId } = write
    if (this.#kept.has(writeId) || this.#writing.has(writeId)) return undefined
    this.#writing.add(writeId)
    const sizeBytes = fileBytesOf(write)
    const part = join(this.#directory, `${writeId}${PART_SUFFIX}`)
    let hasRoom = false
    try {
      hasRoom = await this.#makeRoom(sizeBytes)
      if (hasRoom)
        return new CacheWriter(await this.#openFile(part, 'w', FILE_MODE), write, {
          keep: async () => {
            await rename(part, this.#pathOf(writeId))
            this.#endWriting(writeId, sizeBytes)
            this.#kept.set(writeId, { sizeBytes, readers: 0, going: false }, { size: sizeBytes })
          },
          // What can't be removed goes on taking its room.
          drop: async () => {
            await rm(part, { force: true })
            this.#endWriting(writeId, sizeBytes)
          },
          tell: (error) => this.#tell(error),
        })
    } catch (error) {
      this.#tell(error)
    }
    this.#endWriting(writeId, hasRoom ? sizeBytes : 0)
    return undefined
  }

  #endWriting(id: WriteId, sizeBytes: number): void {
    this.#writing.delete(id)
    this.#writingBytes -= sizeBytes
  }

  /** True once so many bytes may be written. Nothing is removed where that would not be enough. */
  #makeRoom(bytes: number): Promise<boolean> {
    const making = this.#making.then(async () => {
      const busyBytes = [...this.#kept.values()].reduce(
        (sum, kept) => sum + (kept.readers && kept.sizeBytes),
        0,
      )
      if (busyBytes + this.#writingBytes + bytes > this.#maxBytes) return false
      while (this.#kept.calculatedSize + this.#writingBytes + bytes > this.#maxBytes) {
        const oldest = this.#oldestIdle()
        if (!oldest) return false
        await this.#remove(...oldest)
      }
      this.#writingBytes += bytes
      return true
    })
    this.#making = making.catch(() => {})
    return making
  }

  #oldestIdle(): [WriteId, Kept] | undefined {
    for (const id of this.#kept.rkeys()) {
      const kept = this.#kept.peek(id)
      if (kept?.readers === 0) return [id, kept]
    }
    return undefined
  }

  async #left(id: WriteId, kept: Kept, spoiled: boolean): Promise<void> {
    kept.readers--
    if (spoiled && !kept.going) {
      kept.going = true
      this.#tell(damaged(this.#pathOf(id)))
    }
    // The last one who has it open: before that its bytes stay on the disk, and count.
    if (kept.going && kept.readers === 0) await this.#remove(id, kept).catch((error) => this.#tell(error))
  }

  /** Counted until it is gone. */
  async #remove(id: WriteId, kept: Kept): Promise<void> {
    kept.going = true
    await rm(this.#pathOf(id), { force: true })
    if (this.#kept.peek(id) === kept) this.#kept.delete(id)
  }

  async #findKept(): Promise<void> {
    const found: { id: WriteId; sizeBytes: number; atMs: number }[] = []
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name)
      if (idOf(name, PART_SUFFIX)) await rm(path, { force: true })
      const id = idOf(name, STREAM_SUFFIX)
      if (!id) continue
      const { size, mtimeMs } = await stat(path)
      found.push({ id, sizeBytes: size, atMs: mtimeMs })
    }
    let bytes = 0
    const fitting: typeof found = []
    for (const one of found.sort((a, b) => b.atMs - a.atMs)) {
      // An empty one is no stream, and no size that the list takes.
      if (one.sizeBytes === 0 || bytes + one.sizeBytes > this.#maxBytes) {
        await rm(this.#pathOf(one.id), { force: true })
        continue
      }
      bytes += one.sizeBytes
      fitting.push(one)
    }
    for (const { id, sizeBytes } of fitting.reverse())
      this.#kept.set(id, { sizeBytes, readers: 0, going: false }, { size: sizeBytes })
  }

  #pathOf(id: WriteId): string {
    return join(this.#directory, `${id}${STREAM_SUFFIX}`)
  }

  #openFile(path: string, flags: string, mode?: number): Promise<FileHandle> {
    return (this.#options.openFile ?? open)(path, flags, mode)
  }

  #tell(error: unknown): void {
    this.#options.onProblem?.(error)
  }
}

function damaged(path: string): TidepoolError {
  return new TidepoolError('cache-damaged', `${path} is no longer the stream that was kept there`, {
    hint: 'The store was read instead. More than once, look at the disk: `dmesg` says more.',
  })
}

/** Of a name that we give; what else is in the directory is somebody's, and left alone. */
function idOf(name: string, suffix: string): WriteId | undefined {
  if (!name.endsWith(suffix)) return undefined
  try {
    return writeId(name.slice(0, -suffix.length))
  } catch {
    return undefined
  }
}
