/** Stores that can't be used: each has its own message, a way on, and an exit code. */
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tidepool } from '../support/command.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { streamBytes } from '../support/stream-generator.ts'

const test = suite('stores that can not be used')

async function inDirectory(use: (path: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    await use(path)
  } finally {
    await remove()
  }
}

async function failure(...argv: string[]): Promise<string> {
  const { code, stderr, stdout } = await tidepool(argv)
  assert.is(stdout.toString(), '')
  assert.match(stderr, /^tidepool: .*\n {2}.*\n$/)
  return `${code} ${stderr}`
}

test('a directory that is not there, that is a file, that is no store', () =>
  inDirectory(async (path) => {
    await writeFile(join(path, 'file'), '')
    assert.match(
      await failure('--store', `dir:${path}/none`, 'stream', 'ls'),
      /^1 .*there is no directory .*none/,
    )
    assert.match(await failure('--store', `dir:${path}/file`, 'stream', 'ls'), /^1 .*file is not a directory/)
    assert.match(await failure('--store', `dir:${path}`, 'stream', 'ls'), /^1 .*is a directory, but no store/)
    assert.match(
      await failure('--store', `dir:${path}`, 'store', 'init'),
      /^1 .*is no store, and holds "file"/,
    )
  }))

test('a store of another version, and one whose marker is damaged', () =>
  inDirectory(async (path) => {
    const url = `dir:${path}/store`
    assert.is((await tidepool(['--store', url, 'store', 'init'])).code, 0)
    const marker = join(path, 'store/tidepool.json')
    const text = await readFile(marker, 'utf8')
    await writeFile(marker, text.replace('"format": 1', '"format": 7'))
    assert.match(await failure('--store', url, 'store', 'info'), /^1 .*has format 7; this program knows 1/)
    await writeFile(marker, text.slice(0, 20))
    assert.match(await failure('--store', url, 'store', 'info'), /^4 .*is not what a store says of itself/)
  }))

test('the same command works as soon as the store is made, and making it twice is said', () =>
  inDirectory(async (path) => {
    const url = `dir:${path}/store`
    assert.match((await tidepool(['--store', url, 'store', 'init'])).stdout.toString(), /^made a store in /)
    assert.match(
      (await tidepool(['--store', url, 'store', 'init'])).stdout.toString(),
      /is a store in .* already\n$/,
    )
    assert.is((await tidepool(['stream', 'ls'], { env: { TIDEPOOL_STORE: url } })).code, 0)
  }))

test('features that not every host can receive are refused', () =>
  inDirectory(async (path) => {
    const url = `dir:${path}/store`
    await tidepool(['--store', url, 'store', 'init', '--receivable', 'embedded,lz4'])
    const stdin = await streamBytes({ seed: 1, bytes: 10_000, features: ['embedded', 'zstd'] })
    const put = await tidepool(['--store', url, 'stream', 'put', 'p'], { stdin })
    assert.is(put.code, 1)
    assert.match(put.stderr, /the stream uses zstd, which not every host of this store can receive/)
  }))

test('a full disk ends a put and a get with what to do, and work goes on once there is space', async () => {
  if (process.getuid?.() !== 0) return
  await inDirectory(async (path) => {
    // A file system of its own that is small; without the right to mount one there is nothing to fill.
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', path], { stdio: 'ignore' })
    } catch {
      return
    }
    try {
      const url = `dir:${join(path, 'store')}`
      assert.is((await tidepool(['--store', url, 'store', 'init'])).code, 0)
      const put = async (bytes: number, seed: number) =>
        tidepool(['--store', url, '--json', 'stream', 'put', `p${seed}`], {
          stdin: await streamBytes({ seed, bytes }),
        })
      const first = await put(2_000_000, 1)
      assert.is(first.code, 0, first.stderr)
      const full = await put(20_000_000, 2)
      assert.is(full.code, 1)
      assert.match(full.stderr, /"code":"disk-full"/)
      assert.match(full.stderr, /nothing was committed/)
      const writeId = String(first.json[0]?.writeId)
      const ballast = join(path, 'ballast')
      await writeFile(ballast, Buffer.alloc(12_000_000)).catch(() => {})
      const got = await tidepool(['--store', url, 'stream', 'get', `p1/${writeId}`, join(path, 'copy')])
      assert.is(got.code, 1)
      assert.match(got.stderr, /can't write .*copy: the disk is full/)
      execFileSync('rm', [ballast])
      assert.is((await put(2_000_000, 3)).code, 0)
    } finally {
      execFileSync('umount', ['-l', path])
    }
  })
})

test('a read-only medium: reading goes on, writing is refused', async () => {
  if (process.getuid?.() !== 0) return
  await inDirectory(async (path) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', path], { stdio: 'ignore' })
    } catch {
      return
    }
    try {
      const url = `dir:${join(path, 'store')}`
      await tidepool(['--store', url, 'store', 'init'])
      const stdin = await streamBytes({ seed: 1, bytes: 10_000 })
      assert.is((await tidepool(['--store', url, 'stream', 'put', 'p'], { stdin })).code, 0)
      execFileSync('mount', ['-o', 'remount,ro', path])
      assert.is((await tidepool(['--store', url, 'stream', 'verify', '--all'])).code, 0)
      const put = await tidepool(['--store', url, 'stream', 'put', 'q'], { stdin })
      assert.is(put.code, 1)
      assert.match(put.stderr, /the store in .* may only be read\n {2}/)
    } finally {
      execFileSync('umount', ['-l', path])
    }
  })
})

test.run()
