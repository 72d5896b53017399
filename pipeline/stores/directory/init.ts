/** Makes a directory into a store, or finds that it is one already. */
import { constants } from 'node:fs'
import { access, mkdir, readdir, realpath } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { errnoOf, TidepoolError } from '../../base/errors.ts'
import type { StoreInfo } from '../contract.ts'
import { Ballast } from './ballast.ts'
import { diskError, makeDirectory, syncDirectory } from './disk.ts'
import { releaseEnvironment, shareEnvironment } from './environment.ts'
import {
  ballastFile,
  catalogueDirectory,
  DIRECTORY_MODE,
  FORMAT,
  markerFile,
  projectsDirectory,
  temporaryDirectory,
} from './layout.ts'
import { readMarker, refuseNetwork, writeMarker } from './marker.ts'

export interface InitOptions {
  readonly receivable?: readonly string[]
}

/** Idempotent, also after a crash in its middle: the marker comes last. */
export async function initDirectoryStore(
  path: string,
  options: InitOptions = {},
): Promise<{ readonly created: boolean; readonly info: StoreInfo }> {
  await makeRoot(path)
  const there = await readMarker(path)
  if (there) return { created: false, info: there }
  const root = await realpath(path)
  await refuseNetwork(root)
  await refuseStrangers(root)
  try {
    await access(root, constants.W_OK)
    await makeDirectory(projectsDirectory(root))
    await makeDirectory(catalogueDirectory(root))
    await makeDirectory(temporaryDirectory(root))
  } catch (error) {
    throw diskError('make a store in', root, error)
  }
  await makeCatalogue(catalogueDirectory(root))
  await new Ballast(root).restore()
  const info: StoreInfo = { format: FORMAT, createdAtMs: Date.now(), receivable: options.receivable ?? null }
  await writeMarker(root, info)
  return { created: true, info }
}

async function makeRoot(path: string): Promise<void> {
  let made: string | undefined
  try {
    made = await mkdir(path, { recursive: true, mode: DIRECTORY_MODE })
  } catch (error) {
    // A file in the way is told by the look for the marker.
    if (errnoOf(error) !== 'EEXIST' && errnoOf(error) !== 'ENOTDIR') throw diskError('make', path, error)
  }
  try {
    if (made !== undefined) await syncDirectory(dirname(made))
  } catch (error) {
    // A parent that this user may write and not read can't be made durable by it.
    if (errnoOf(error) !== 'EACCES') throw diskError('make', path, error)
  }
}

/** The first transaction of all makes LMDB's files. */
async function makeCatalogue(directory: string): Promise<void> {
  const environment = shareEnvironment(directory, Number.POSITIVE_INFINITY)
  try {
    await environment.write(
      { kind: 'remove', key: ['note', 'init'] },
      { what: `init of ${directory}`, limitMs: 30_000, answerLimitMs: 60_000 },
    )
    await syncDirectory(directory)
  } finally {
    await releaseEnvironment(directory)
  }
}

async function refuseStrangers(root: string): Promise<void> {
  const ours = [markerFile, ballastFile, catalogueDirectory, projectsDirectory, temporaryDirectory].map(
    (of) => basename(of(root)),
  )
  const stranger = (await readdir(root)).find(
    (name) => !ours.some((our) => name === our || name.startsWith(`${our}.`)),
  )
  if (stranger)
    throw new TidepoolError('store-not-empty', `${root} is no store, and holds ${JSON.stringify(stranger)}`, {
      hint: 'Choose an empty directory, or one that is not there yet.',
    })
}
