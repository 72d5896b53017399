/** What a pool is to stand on: nothing uses it, and nothing is on it that anybody could miss. */
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { humanBytes } from '../../pipeline/base/units.ts'

export const MIN_POOL_BYTES = 64n * 1024n * 1024n

/**
 * Where something known begins on a device, and by which bytes it is known. `zpool` sees other pools by itself; file
 * systems it sees only where it was built with libblkid, as zfs-fuse was not, and in a file it never looks.
 */
const SIGNATURES: readonly (readonly [what: string, offset: number, bytes: string])[] = [
  ['a GPT partition table', 0x200, '4546492050415254'],
  ['a partition table or boot sector', 0x1fe, '55aa'],
  ['an ext file system', 0x438, '53ef'],
  ['an XFS file system', 0, '58465342'],
  ['a btrfs file system', 0x10040, '5f42485266535f4d'],
  ['a bcachefs file system', 0x1018, 'c68573f64e1a45ca8265f57f48ba6d81'],
  ['an F2FS file system', 0x400, '1020f5f2'],
  ['a LUKS container', 0, '4c554b53babe'],
  ['an LVM volume', 0x200, '4c4142454c4f4e45'],
  ['swap space', 0xff6, '53574150535041434532'],
  ['a part of an md array', 0, 'fc4e2ba9'],
  ['a part of an md array', 0x1000, 'fc4e2ba9'],
  ['an ISO 9660 file system', 0x8001, '4344303031'],
]
const LOOKED_AT_BYTES = 0x11000

/** Rejects with `device-missing`, `device-unusable` or `device-in-use`, and has then changed nothing. */
export async function checkDevice(path: string): Promise<void> {
  const kind = await stat(path).catch((error: unknown) => {
    throw deviceError(path, error)
  })
  if (kind.isFile()) throw inUse(path, 'is a file that exists', NEW_FILE)
  if (!kind.isBlockDevice())
    throw new TidepoolError('device-unusable', `${path} is ${nameOf(kind)}, not a disk or partition`, {
      hint: LIST_DEVICES,
    })
  let device: FileHandle
  try {
    // The kernel grants this to one at a time, and mounts, swap, arrays and pools have it.
    device = await open(path, constants.O_RDONLY | constants.O_EXCL)
  } catch (error) {
    if (errnoOf(error) === 'EBUSY')
      throw inUse(path, 'is in use', `\`lsblk ${path}\` shows by what: choose another device, or end that.`)
    throw deviceError(path, error)
  }
  try {
    const found = await signatureOf(device)
    if (found !== undefined)
      throw inUse(
        path,
        `has ${found} on it`,
        `Choose another device. Only if nothing on it is needed: \`wipefs --all ${path}\` makes it empty.`,
      )
  } finally {
    await device.close()
  }
}

/** What is known by its first bytes; undefined where it is none of the things that we know. */
export async function signatureOf(device: FileHandle): Promise<string | undefined> {
  const { buffer, bytesRead } = await device.read(Buffer.alloc(LOOKED_AT_BYTES), 0, LOOKED_AT_BYTES, 0)
  const start = buffer.subarray(0, bytesRead)
  const at = (offset: number, bytes: number): string => start.toString('hex', offset, offset + bytes)
  return SIGNATURES.find(([, offset, hex]) => at(offset, hex.length / 2) === hex)?.[0]
}

/** A sparse file for a pool to be tried out on. Rejects with `device-in-use` where something has that path. */
export async function makePoolFile(path: string, bytes: bigint): Promise<void> {
  if (bytes < MIN_POOL_BYTES)
    throw new TidepoolError(
      'device-too-small',
      `a pool needs ${humanBytes(MIN_POOL_BYTES)}, not ${humanBytes(bytes)}`,
      { hint: 'Choose a larger size.' },
    )
  let file: FileHandle
  try {
    file = await open(path, 'wx', 0o600)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST')
      throw inUse(path, 'exists', 'Choose a path where nothing is yet; for a device give no size.')
    throw deviceError(path, error, `Make the directory ${dirname(path)} first, or choose another path.`)
  }
  try {
    await file.truncate(Number(bytes))
  } catch (error) {
    await rm(path, { force: true })
    throw deviceError(path, error)
  } finally {
    await file.close()
  }
}

const NEW_FILE =
  'Give a disk or partition; or, to try it out, a path where nothing is yet and a size for a new file.'

function inUse(path: string, why: string, hint: string): TidepoolError {
  return new TidepoolError('device-in-use', `${path} ${why}: no pool is made on it`, { hint })
}

function nameOf(kind: Stats): string {
  return kind.isDirectory() ? 'a directory' : kind.isCharacterDevice() ? 'a character device' : 'special'
}

const LIST_DEVICES =
  '`lsblk -p` lists the disks and partitions of this machine; with a size a new file is made, to try it out.'

function deviceError(path: string, cause: unknown, whereMissing = LIST_DEVICES): unknown {
  switch (errnoOf(cause)) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENXIO':
    case 'ENOMEDIUM':
      return new TidepoolError('device-missing', `there is no ${path}`, { cause, hint: whereMissing })
    case 'EACCES':
    case 'EPERM':
      return new TidepoolError('permission-denied', `this user may not open ${path}`, {
        cause,
        hint: 'Run it as root.',
      })
    case undefined:
      return cause
    default:
      return new TidepoolError('device-unusable', `${path} can't be used: ${errnoOf(cause)}`, {
        cause,
        hint: `Look at it, and at the file system of ${dirname(path)}.`,
      })
  }
}
