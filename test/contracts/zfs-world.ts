/** Where the promises of `native/zfs` are tried, and what several of them look at. */
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { create, setProperties, snapshot } from '../../native/zfs/dataset.ts'
import { listDatasets, type Snapshot } from '../../native/zfs/list.ts'
import { mount, unmount } from '../../native/zfs/mount.ts'
import { childOf, type DatasetName, snapshotOf } from '../../native/zfs/names.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import type { Guid } from '../../pipeline/base/ids.ts'

export interface ZfsWorld {
  readonly zfs: Zfs
  /** Of this test alone, made by `poolCreate`. */
  readonly parent: DatasetName
  /** Where it may mount; it need not exist. */
  readonly mounts: string
}

export async function gather<T>(from: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of from) all.push(one)
  return all
}

export async function rejects(promise: Promise<unknown>, code: string): Promise<Error> {
  try {
    await promise
  } catch (error) {
    assert.is(codeOf(error), code, String(error))
    return error as Error
  }
  throw new Error(`it did not reject with ${code}`)
}

/** A dataset with files and two snapshots, not mounted. */
export async function sample({ zfs, parent, mounts }: ZfsWorld, name = 'source') {
  const made = childOf(parent, name)
  await create(zfs, made, { mountpoint: join(mounts, name) })
  const path = await mount(zfs, made)
  await writeFile(join(path, 'one'), 'first\n'.repeat(1000))
  await mkdir(join(path, 'dir'))
  await symlink('one', join(path, 'dir', 'link'))
  const first = await snapshot(zfs, snapshotOf(made, 'first'))
  await writeFile(join(path, 'two'), 'second\n'.repeat(20_000))
  await rm(join(path, 'one'))
  const second = await snapshot(zfs, snapshotOf(made, 'second'))
  await unmount(zfs, made)
  return { dataset: made, first, second }
}

export const names = async ({ zfs, parent }: ZfsWorld) =>
  (await gather(listDatasets(zfs, parent))).map(({ name }) => name).sort()
export const guids = (snapshots: readonly Snapshot[]): Guid[] => snapshots.map((one) => one.guid)

/** What is in it, seen through a mount. */
export async function contents({ zfs, mounts }: ZfsWorld, of: DatasetName): Promise<[string, string][]> {
  await setProperties(zfs, of, { mountpoint: join(mounts, 'look') })
  const path = await mount(zfs, of)
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const read = await Promise.all(
    files
      .sort()
      .map(
        async (file): Promise<[string, string]> => [file.slice(path.length), await readFile(file, 'utf8')],
      ),
  )
  await unmount(zfs, of)
  return read
}

/** Registers one promise with its test. */
export type Promised = (promise: string, test: (world: ZfsWorld) => Promise<void>) => void
