/** Home directories as they are: many small files, some large ones, half of each compressing; and what a day changes in them. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KIB, MIB } from '../pipeline/base/units.ts'
import { bytes, int, type Random } from '../test/support/random.ts'

const FOLDER_FILES = 100
const LARGE_SHARE = 0.5

/** About so many bytes below `root`: half of them in files of 8 MiB, half in files of 1 to 64 KiB. Returns their paths. */
export async function writeMixed(root: string, totalBytes: number, random: Random): Promise<string[]> {
  const paths: string[] = []
  let written = 0
  const add = async (path: string, length: number): Promise<void> => {
    await writeFile(path, half(random, length))
    paths.push(path)
    written += length
  }
  await mkdir(join(root, 'large'))
  while (written < totalBytes * LARGE_SHARE) await add(join(root, 'large', `f${paths.length}`), 8 * MIB)
  for (let count = 0; written < totalBytes; count++) {
    const folder = join(root, `folder${Math.floor(count / FOLDER_FILES)}`)
    if (count % FOLDER_FILES === 0) await mkdir(folder)
    await add(join(folder, `f${count}`), int(random, KIB, 64 * KIB))
  }
  return paths
}

/** Writes some of the files anew until about so many bytes have changed. */
export async function changeMixed(
  paths: readonly string[],
  changedBytes: number,
  random: Random,
): Promise<void> {
  for (let changed = 0; changed < changedBytes; ) {
    const length = int(random, KIB, 64 * KIB)
    await writeFile(paths[int(random, 0, paths.length - 1)] as string, half(random, length), { flag: 'r+' })
    changed += length
  }
}

function half(random: Random, length: number): Buffer {
  const data = bytes(random, length)
  for (let at = 0; at < length; at += 8 * KIB) data.fill(0, at, Math.min(at + 4 * KIB, length))
  return data
}
