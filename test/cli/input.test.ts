import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, createReadStream, openSync, readSync } from 'node:fs'
import { open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inputOf } from '../../daemon/cli/input.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { bytes, seeded } from '../support/random.ts'

const test = suite('input')
const nothing = Readable.from([])
const never = new AbortController().signal

async function inDirectory(use: (path: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    await use(path)
  } finally {
    await remove()
  }
}

/** Copies each piece before it asks for the next, as every reader of such a source has to. */
async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of source) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

const openFiles = async () => (await readdir('/proc/self/fd')).length

test('a file comes whole, whatever its length, and its length is known', () =>
  inDirectory(async (path) => {
    for (const length of [0, 1, 1024 * 1024 - 1, 1024 * 1024, 3 * 1024 * 1024 + 5, 7_000_000]) {
      const data = bytes(seeded(length), length)
      await writeFile(join(path, 'x'), data)
      const input = await inputOf(join(path, 'x'), nothing)
      assert.is(input.bytes, BigInt(length))
      assert.ok((await all(input.open(never))).equals(data), `${length} bytes`)
    }
  }))

test('a reader that leaves early leaves no file open', () =>
  inDirectory(async (path) => {
    await writeFile(join(path, 'x'), Buffer.alloc(5_000_000))
    const before = await openFiles()
    for (let round = 0; round < 20; round++)
      for await (const piece of (await inputOf(join(path, 'x'), nothing)).open(never)) {
        assert.ok(piece.length > 0)
        break
      }
    assert.is(await openFiles(), before)
  }))

test('a reader that is stopped ends with the reason', () =>
  inDirectory(async (path) => {
    await writeFile(join(path, 'x'), Buffer.alloc(5_000_000))
    const stop = new AbortController()
    const reason = new Error('enough')
    try {
      for await (const _piece of (await inputOf(join(path, 'x'), nothing)).open(stop.signal))
        stop.abort(reason)
      assert.unreachable()
    } catch (error) {
      assert.is(error, reason)
    }
  }))

test('a named pipe is waited for, and read to its end', () =>
  inDirectory(async (path) => {
    const fifo = join(path, 'fifo')
    execFileSync('mkfifo', [fifo])
    const data = bytes(seeded(1), 1_000_000)
    await writeFile(join(path, 'data'), data)
    const input = await inputOf(fifo, nothing)
    assert.is(input.bytes, undefined)
    const writer = spawn('sh', ['-c', 'sleep 0.1; cat data > fifo'], { cwd: path })
    assert.ok((await all(input.open(never))).equals(data))
    await once(writer, 'close')
  }))

test('a named pipe that nobody writes to can be left', () =>
  inDirectory(async (path) => {
    const fifo = join(path, 'fifo')
    execFileSync('mkfifo', [fifo])
    const stop = new AbortController()
    const reading = all((await inputOf(fifo, nothing)).open(stop.signal))
    setTimeout(() => stop.abort(new Error('enough')), 20)
    const error = await reading.then(
      () => undefined,
      (error: unknown) => error,
    )
    assert.match(String(error), /enough/)
  }))

test('a named pipe whose writer stays silent can be left', () =>
  inDirectory(async (path) => {
    const fifo = join(path, 'fifo')
    execFileSync('mkfifo', [fifo])
    const writer = await open(fifo, 'r+')
    try {
      const stop = new AbortController()
      const reading = all((await inputOf(fifo, nothing)).open(stop.signal))
      setTimeout(() => stop.abort(new Error('enough')), 20)
      const error = await reading.then(
        () => undefined,
        (error: unknown) => error,
      )
      assert.match(String(error), /enough/)
    } finally {
      await writer.close()
    }
  }))

test('standard input from a file goes on where whoever had it before stopped', () =>
  inDirectory(async (path) => {
    const data = bytes(seeded(2), 3_000_000)
    await writeFile(join(path, 'x'), data)
    const fd = openSync(join(path, 'x'), 'r')
    try {
      readSync(fd, Buffer.alloc(1000))
      const stdin = Object.assign(createReadStream('', { fd, autoClose: false }), { fd })
      const input = await inputOf('-', stdin)
      assert.ok((await all(input.open(never))).equals(data.subarray(1000)))
    } finally {
      closeSync(fd)
    }
  }))

test('standard input from a pipe is read as it comes, and can be left', async () => {
  const pipe = new PassThrough()
  const stop = new AbortController()
  const pieces = (await inputOf('-', pipe)).open(stop.signal)[Symbol.asyncIterator]()
  pipe.write('abc')
  assert.is(String((await pieces.next()).value), 'abc')
  const next = pieces.next().then(
    () => undefined,
    (error: unknown) => error,
  )
  stop.abort(new Error('enough'))
  assert.match(String(await next), /enough/)
})

test('what can not be read is told with its reason', () =>
  inDirectory(async (path) => {
    for (const [file, why] of [
      [join(path, 'none'), /there is no such file or directory/],
      [path, /it is a directory/],
    ] as const)
      try {
        await inputOf(file, nothing)
        assert.unreachable()
      } catch (error) {
        assert.is(codeOf(error), 'input-unreadable')
        assert.match(String(error), why)
      }
  }))

test.run()
