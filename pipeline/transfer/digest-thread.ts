/** One thread that computes SHA-256 for all transfers that are long enough, from the first that needs it to the last. */
import { Worker } from 'node:worker_threads'
import { digestOf } from './digest.ts'

/** As text, because a thread of Node 20 has none of the loaders of a checkout, and so small a one starts within 25 ms. */
const SOURCE = `
const { createHash } = require('node:crypto')
const { parentPort } = require('node:worker_threads')
parentPort.on('message', ({ id, buffer, offset, length }) => {
  const digest = createHash('sha256').update(new Uint8Array(buffer, offset, length)).digest()
  parentPort.postMessage({ id, digest })
})`

interface Waiting {
  readonly data: Buffer
  readonly resolve: (digest: Buffer) => void
}

interface Reply {
  readonly id: number
  readonly digest: Uint8Array
}

/** Only such memory can be seen by another thread; other would be copied. */
export const isShared = ({ buffer }: Buffer): boolean => buffer instanceof SharedArrayBuffer

let running: DigestThread | undefined

export class DigestThread {
  readonly #worker = new Worker(SOURCE, { eval: true })
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0
  #users = 0
  #state: 'starting' | 'running' | 'ended' = 'starting'

  /** Each that is taken must be left. */
  static take(): DigestThread {
    running ??= new DigestThread()
    running.#users++
    return running
  }

  constructor() {
    this.#worker.on('online', () => {
      this.#state = 'running'
    })
    this.#worker.on('message', ({ id, digest }: Reply) => {
      this.#waiting.get(id)?.resolve(Buffer.from(digest))
      this.#waiting.delete(id)
    })
    this.#worker.on('error', () => {}) // its exit follows
    this.#worker.on('exit', () => this.#ended())
  }

  /** Nobody changes `data` meanwhile. What this thread can't do, yet or any more, is done at once by the caller's. */
  digest(data: Buffer): Promise<Buffer> {
    const { buffer, byteOffset: offset, length } = data
    if (this.#state !== 'running' || !isShared(data)) return Promise.resolve(digestOf(data))
    return new Promise((resolve) => {
      const id = ++this.#lastId
      this.#waiting.set(id, { data, resolve })
      this.#worker.postMessage({ id, buffer, offset, length })
    })
  }

  /** With its last user it ends, and with it what it still holds of their buffers. */
  async leave(): Promise<void> {
    if (--this.#users > 0) return
    if (running === this) running = undefined
    await this.#worker.terminate()
  }

  #ended(): void {
    this.#state = 'ended'
    if (running === this) running = undefined
    for (const { data, resolve } of this.#waiting.values()) resolve(digestOf(data))
    this.#waiting.clear()
  }
}
