/**
 * This process's end of the thread that writes catalogues: one for all of them, started by the first write, kept
 * without holding the process up. (One each would cost 13 MiB, and in a checkout half a second, for every store.)
 */
import { Worker } from 'node:worker_threads'
import { OutcomeUnknownError, StoreUnavailableError, TidepoolError } from '../../base/errors.ts'
import type { WriterReply, WriterRequest, WriterStep } from './writer.ts'

/** A failure that LMDB or the system gave a number to. */
export class WriterFailure extends Error {
  readonly number: number | undefined

  constructor(message: string, number: number | undefined) {
    super(message)
    this.number = number
  }
}

interface Call {
  readonly what: string
  /** Opens or closes: nothing was to be changed, so nothing is unknown. */
  readonly opens: boolean
  readonly resolve: (happened: boolean) => void
  readonly reject: (error: unknown) => void
}

/** The heap holds one transaction at a time; a default one could grow to as much as the whole program. */
const HEAP_LIMITS = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 4 }

let running: WriterThread | undefined

/** The thread as it runs now; another one after an earlier one broke. */
export function writerThread(): WriterThread {
  running ??= new WriterThread(() => {
    running = undefined
  })
  return running
}

export class WriterThread {
  readonly #worker: Worker
  readonly #calls = new Map<number, Call>()
  #lastId = 0
  #ended = false

  constructor(onEnd: () => void) {
    this.#worker = startWorker()
    this.#worker.unref()
    this.#worker.on('message', (reply: WriterReply) => this.#answered(reply))
    let cause: unknown
    this.#worker.on('error', (error) => {
      cause = error
    })
    this.#worker.on('exit', () => {
      this.#ended = true
      onEnd()
      for (const { what, opens, reject } of this.#calls.values())
        reject(opens ? threadEnded(what, cause) : new OutcomeUnknownError(what, cause))
      this.#calls.clear()
    })
  }

  get ended(): boolean {
    return this.#ended
  }

  call(what: string, path: string, step: WriterStep): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      const opens = step.kind === 'open' || step.kind === 'close'
      this.#calls.set(id, { what, opens, resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage({ id, path, step } satisfies WriterRequest)
    })
  }

  #answered(reply: WriterReply): void {
    const call = this.#calls.get(reply.id)
    this.#calls.delete(reply.id)
    if (this.#calls.size === 0) this.#worker.unref()
    if (!call) return
    if (reply.kind === 'done') call.resolve(reply.happened)
    else if (reply.code !== undefined) {
      const hint = reply.hint === undefined ? {} : { hint: reply.hint }
      call.reject(new TidepoolError(reply.code, `${call.what}: ${reply.message}`, hint))
    } else {
      const failure = new WriterFailure(reply.message, reply.number)
      call.reject(reply.mayStand ? new OutcomeUnknownError(call.what, failure) : failure)
    }
  }
}

function threadEnded(what: string, cause: unknown): StoreUnavailableError {
  return new StoreUnavailableError(`${what}: the thread that writes catalogues has ended`, {
    cause,
    hint: 'It is started again by the next write.',
  })
}

/** The build rewrites what is imported, but no URL; and a thread of Node 20 has none of its parent's loaders. */
function startWorker(): Worker {
  const options = { resourceLimits: HEAP_LIMITS }
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./writer.js', import.meta.url), options)
  const [loader, writer] = [import.meta.resolve('tsx/esm/api'), import.meta.resolve('./writer.ts')]
  const source = `import('${loader}').then(({ register }) => { register(); return import('${writer}') })`
  return new Worker(source, { ...options, eval: true })
}
