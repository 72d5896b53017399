import { existsSync } from 'node:fs'
import { mkdir, open, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkDevice, makePoolFile, signatureOf } from '../../../native/zfs/pool-device.ts'
import { rejects } from '../../contracts/zfs-world.ts'
import { temporaryDirectory } from '../../support/directory.ts'

const test = suite('what a pool stands on')

async function inDirectory(use: (path: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    await use(path)
  } finally {
    await remove()
  }
}

/** What is seen on a device of a MiB with these bytes at that place. */
async function seen(
  path: string,
  offset: number,
  bytes: string,
  length = 1 << 20,
): Promise<string | undefined> {
  const file = await open(path, 'w+')
  try {
    await file.truncate(length)
    await file.write(Buffer.from(bytes, 'latin1'), 0, bytes.length, offset)
    return await signatureOf(file)
  } finally {
    await file.close()
  }
}

test('what stands on a device is known by its first bytes, at their place alone', () =>
  inDirectory(async (directory) => {
    const path = join(directory, 'device')
    for (const [offset, bytes, what] of [
      [1080, '\x53\xef', 'an ext file system'],
      [0, 'XFSB', 'an XFS file system'],
      [65_600, '_BHRfS_M', 'a btrfs file system'],
      [512, 'EFI PART', 'a GPT partition table'],
      [510, '\x55\xaa', 'a partition table or boot sector'],
      [0, 'LUKS\xba\xbe', 'a LUKS container'],
      [512, 'LABELONE', 'an LVM volume'],
      [4086, 'SWAPSPACE2', 'swap space'],
      [4096, '\xfc\x4e\x2b\xa9', 'a part of an md array'],
    ] as const) {
      assert.is(await seen(path, offset, bytes), what)
      assert.is(await seen(path, offset + 7, bytes), undefined, `${what}, moved`)
    }
    assert.is(await seen(path, 0, ''), undefined)
    assert.is(await seen(path, 0, 'XFS', 3), undefined, 'shorter than any of them')
  }))

test('nothing but a device is taken for one', () =>
  inDirectory(async (directory) => {
    const file = join(directory, 'file')
    await writeFile(file, 'precious')
    await rejects(checkDevice(file), 'device-in-use')
    await rejects(checkDevice(join(directory, 'none')), 'device-missing')
    await rejects(checkDevice(join(file, 'below')), 'device-missing')
    await rejects(checkDevice(directory), 'device-unusable')
    await rejects(checkDevice('/dev/null'), 'device-unusable')
  }))

test('a file is made where nothing was, of the size that was asked for, for its owner alone', () =>
  inDirectory(async (directory) => {
    const path = join(directory, 'pool.img')
    await makePoolFile(path, 2n ** 26n)
    const { size, mode, blocks } = await stat(path)
    assert.equal([size, mode & 0o777, blocks], [2 ** 26, 0o600, 0])
    await rejects(makePoolFile(path, 2n ** 26n), 'device-in-use')
    await rejects(makePoolFile(join(directory, 'small'), 2n ** 26n - 1n), 'device-too-small')
    await rejects(makePoolFile(join(directory, 'no', 'such'), 2n ** 26n), 'device-missing')
    await rejects(makePoolFile(join(directory, 'vast'), 2n ** 62n), 'device-unusable')
    assert.not.ok(existsSync(join(directory, 'vast')))
    await mkdir(join(directory, 'directory'))
    await rejects(makePoolFile(join(directory, 'directory'), 2n ** 26n), 'device-in-use')
  }))

test.run()
