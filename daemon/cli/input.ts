/** Where `stream put` reads from: a file, a pipe by its name, or standard input. */
import { constants, fstatSync, open as openCallback, read } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { MIB } from '../../pipeline/base/units.ts'
import type { Source } from '../../pipeline/transfer/chunker.ts'
import { reasonOf } from './errno.ts'

export interface Input {
  /** For messages. */
  readonly name: string
  /** How much there is, where that is known. */
  readonly bytes: bigint | undefined
  readonly open: Source
}

export async function inputOf(file: string, stdin: Readable & { readonly fd?: number }): Promise<Input> {
  if (file === '-') return standardInput(stdin)
  let kind: Awaited<ReturnType<typeof stat>>
  try {
    kind = await stat(file)
  } catch (cause) {
    throw inputError(file, cause)
  }
  if (kind.isDirectory()) throw inputError(file, Object.assign(new Error('EISDIR'), { code: 'EISDIR' }))
  if (kind.isFIFO()) return { name: file, bytes: undefined, open: (signal) => readPipe(file, signal) }
  return {
    name: file,
    bytes: kind.isFile() ? BigInt(kind.size) : undefined,
    open: (signal) => readFile(file, signal),
  }
}

/** A file that the shell opened is read as quickly as one that is named. */
function standardInput(stdin: Readable & { readonly fd?: number }): Input {
  const name = 'standard input'
  if (stdin.fd !== undefined) {
    const { fd } = stdin
    const kind = fstatSync(fd)
    // Not by its name in /dev, which would begin at its start again, whatever was read before.
    if (kind.isFile())
      return {
        name,
        bytes: undefined,
        open: (signal) => readAhead(name, signal, (into) => readFrom(fd, into)),
      }
  }
  return { name, bytes: undefined, open: (signal) => readStream(name, stdin, signal) }
}

const openFd = promisify(openCallback)
const readFd = promisify(read)

async function readFrom(fd: number, into: Buffer): Promise<number> {
  return (await readFd(fd, into, 0, into.length, null)).bytesRead
}

async function* readFile(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted()
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    throw inputError(path, cause)
  }
  try {
    yield* readAhead(path, signal, async (into) => (await file.read(into, 0, into.length, null)).bytesRead)
  } finally {
    await file.close()
  }
}

/** One piece is with the reader, one is being read, one is free for the next read. */
const BUFFERS = 3
const BUFFER_BYTES = MIB

/**
 * One read is always under way while the reader works on what the last one brought. The buffers go round: a piece is
 * the reader's until it asks for the next. A `createReadStream` allocates 64 KiB a piece instead.
 */
async function* readAhead(
  name: string,
  signal: AbortSignal,
  readInto: (buffer: Buffer) => Promise<number>,
): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted()
  const buffers = Array.from({ length: BUFFERS }, () => Buffer.allocUnsafeSlow(BUFFER_BYTES))
  let turn = 0
  const readNext = (): Promise<Uint8Array> => {
    const buffer = buffers[turn++ % BUFFERS] as Buffer
    const piece = readInto(buffer).then((bytes) => buffer.subarray(0, bytes))
    // It is awaited in its turn; a failure before that must not count as unhandled.
    piece.catch(() => {})
    return piece
  }
  let next = readNext()
  try {
    for (;;) {
      const piece = await next
      signal.throwIfAborted()
      if (piece.length === 0) return
      next = readNext()
      yield piece
    }
  } catch (error) {
    signal.throwIfAborted()
    throw inputError(name, error)
  } finally {
    await next.catch(() => {})
  }
}

/** Opening a pipe waits for its writer, in a thread that nothing can end but a writer: so at an abort we are one. */
async function* readPipe(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted()
  const wake = (): void => {
    open(path, constants.O_WRONLY | constants.O_NONBLOCK).then(
      (handle) => handle.close(),
      // Nobody waits any more.
      () => {},
    )
  }
  signal.addEventListener('abort', wake, { once: true })
  let fd: number
  try {
    fd = await openFd(path, 'r')
  } catch (cause) {
    throw inputError(path, cause)
  } finally {
    signal.removeEventListener('abort', wake)
  }
  // Not by reads of a file: one that waits for bytes would keep its thread, and the process at its end.
  const socket = new Socket({ fd, readable: true, writable: false })
  try {
    yield* readStream(path, socket, signal)
  } finally {
    socket.destroy()
  }
}

async function* readStream(name: string, stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted()
  const stop = (): void => void stream.destroy(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const piece of stream) yield piece
  } catch (error) {
    signal.throwIfAborted()
    throw inputError(name, error)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function inputError(path: string, cause: unknown): unknown {
  if (cause instanceof TidepoolError) return cause
  const errno = errnoOf(cause)
  if (errno === undefined) return cause
  return new TidepoolError('input-unreadable', `can't read ${path}: ${reasonOf(errno)}`, {
    cause,
    hint: 'Give a file that holds one `zfs send` stream, or - to read it from standard input.',
  })
}
