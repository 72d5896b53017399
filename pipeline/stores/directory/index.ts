/** A store in a plain directory of a local file system, for one machine and any number of processes on it. */
import { access, constants, realpath } from 'node:fs/promises'
import { LinkedAbort } from '../../base/abort.ts'
import { codeOf, errnoOf, TidepoolError } from '../../base/errors.ts'
import type { ProjectId } from '../../base/ids.ts'
import type { CallOptions, Store, StoreInfo } from '../contract.ts'
import { Ballast } from './ballast.ts'
import { directoryBlobs } from './blobs.ts'
import { sweepCards } from './card.ts'
import { directoryCatalogue } from './catalogue.ts'
import { rewriteChain, sweepTemporary } from './chain.ts'
import { change } from './change.ts'
import { readError } from './disk.ts'
import { releaseEnvironment, shareEnvironment } from './environment.ts'
import { CARD_PREFIX } from './gate.ts'
import { initDirectoryStore } from './init.ts'
import { catalogueDirectory } from './layout.ts'
import { markerOf, refuseNetwork, writeMarker } from './marker.ts'
import type { Operation } from './operations.ts'
import { type Look, readProject } from './read-project.ts'
import { under } from './values.ts'

export { type InitOptions, initDirectoryStore } from './init.ts'

export interface DirectoryOptions {
  /** Makes the store where there is none. */
  readonly init?: boolean
  /** How long a change of the catalogue waits for other writers. @default 10_000 */
  readonly writeLimitMs?: number
  /** How long a transaction may take once it has begun, before its outcome is unknown. @default 60_000 */
  readonly answerLimitMs?: number
  /** Past this the catalogue takes nothing new; reading and removing go on. @default no limit */
  readonly maxCatalogueBytes?: number
}

const WRITE_LIMIT_MS = 10_000
/** An fsync on a disk with gigabytes to write takes tens of seconds, and does its work all the same. */
const ANSWER_LIMIT_MS = 60_000

/** On a medium that can't be written the store opens all the same, and each change is refused with `store-read-only`. */
export async function openDirectoryStore(path: string, options: DirectoryOptions = {}): Promise<Store> {
  if (options.init) await initDirectoryStore(path)
  await markerOf(path)
  const root = await realpath(path)
  await refuseNetwork(root)
  const directory = catalogueDirectory(root)
  const readOnly = await isReadOnly(directory)
  const environment = shareEnvironment(directory, options.maxCatalogueBytes ?? Number.POSITIVE_INFINITY)
  const ballast = new Ballast(root)
  const waiting = new Set<LinkedAbort>()
  let closed: Error | undefined

  const look: Look = async (at) => {
    if (closed) throw closed
    return environment.read(at)
  }
  const write = async (
    operation: Operation,
    what: string,
    { signal }: CallOptions = {},
  ): Promise<boolean> => {
    signal?.throwIfAborted()
    if (closed) throw closed
    if (readOnly) throw readOnlyError(what, root)
    const wait = new LinkedAbort(signal)
    waiting.add(wait)
    try {
      return await change(directory, environment, ballast, operation, {
        what,
        limitMs: options.writeLimitMs ?? WRITE_LIMIT_MS,
        answerLimitMs: options.answerLimitMs ?? ANSWER_LIMIT_MS,
        signal,
        whileWaiting: wait.signal,
      })
    } finally {
      waiting.delete(wait)
      wait.leave()
    }
  }
  const chain = (project: ProjectId): Promise<void> =>
    rewriteChain(root, project, () => readProject(look, project, { onlyCommitted: true }))

  /** The transaction has happened, whatever becomes of the file: the mark stays until it is written, at the latest by the next open. */
  const pathsChanged = async (project: ProjectId, chainMark: string): Promise<void> => {
    try {
      await chain(project)
      await write({ kind: 'chain-written', project, chainMark }, `chain of ${project}`)
    } catch {
      // Told to whoever removes next, or opens.
    }
  }

  const blobs = directoryBlobs(root, {
    ensureOpen() {
      if (closed) throw closed
    },
    beforeCreate: () => (readOnly ? Promise.reject(readOnlyError('a new write', root)) : ballast.restore()),
    beforeUnlink: (project) => (readOnly ? Promise.reject(readOnlyError('a removal', root)) : chain(project)),
    afterUnlink: () => ballast.restore().catch((error) => ignoreFull(error)),
  })
  const marker = {
    async read() {
      if (closed) throw closed
      return markerOf(root)
    },
    async say(receivable: StoreInfo['receivable']) {
      const info = await marker.read()
      if (readOnly) throw readOnlyError('what its hosts can receive', root)
      await writeMarker(root, { ...info, receivable })
    },
  }
  const catalogue = directoryCatalogue({ marker, look, write, pathsChanged })
  const store: Store = {
    kind: 'directory',
    url: `dir:${root}`,
    blobs,
    catalogue,
    async close() {
      if (closed) return
      closed = new TidepoolError('store-closed', `the store in ${root} was closed`, {
        hint: 'Open it again.',
      })
      for (const wait of waiting) wait.abort(closed)
      await blobs.close()
      await releaseEnvironment(directory)
    },
  }
  try {
    await environment.read(() => undefined)
    if (!readOnly) {
      await sweepCards(directory, CARD_PREFIX)
      await sweepTemporary(root)
      for (const { key, value } of await environment.read((reader) => [...reader.getRange(under('chain'))]))
        await pathsChanged(key[1] as ProjectId, value)
      await ballast.restore().catch(ignoreFull)
    }
  } catch (error) {
    await store.close()
    throw openError(directory, error)
  }
  return store
}

function ignoreFull(error: unknown): void {
  // Without ballast the store goes on as long as it can, and refuses new writes.
  if (codeOf(error) !== 'disk-full') throw error
}

async function isReadOnly(directory: string): Promise<boolean> {
  try {
    await access(directory, constants.W_OK)
    return false
  } catch (error) {
    if (errnoOf(error) === 'EROFS' || errnoOf(error) === 'EACCES') return true
    throw openError(directory, error)
  }
}

function readOnlyError(what: string, root: string): TidepoolError {
  return new TidepoolError('store-read-only', `${what}: the store in ${root} may only be read`, {
    hint: 'Mount its file system read-write, or run as the user who owns the store.',
  })
}

function openError(path: string, error: unknown): unknown {
  const told = readError('open the catalogue in', path, error)
  if (told instanceof TidepoolError && (told === error || told.code === 'store-denied')) return told
  return new TidepoolError('catalogue-damaged', `the catalogue in ${path} can't be opened`, {
    cause: error,
    hint: 'Look at the permissions of its files and at the disk; the streams themselves are plain files.',
  })
}
