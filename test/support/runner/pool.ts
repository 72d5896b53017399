/** Runs test files in worker processes: one after another in the same process, in a new one where a file has cost the old. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Report } from './worker.ts'

/** What one file did. Whatever went wrong, at least one is in `failed`. */
export interface FileResult {
  readonly file: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly durationMs: number
  readonly problems: readonly string[]
  /** What it printed, uvu's differences among it. */
  readonly log: string
}

export interface PoolOptions {
  /** How many workers at a time. */
  readonly jobs: number
  /** How long one file may take. */
  readonly limitMs: number
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Yields each file's result as it comes. When it returns or throws, no worker and nothing that a test started is left. */
export async function* runFiles(files: readonly string[], options: PoolOptions): AsyncGenerator<FileResult> {
  const logs = await mkdtemp(join(tmpdir(), 'tidepool-test-log-'))
  const todo = [...files]
  const done: FileResult[] = []
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  let wake = () => {}
  const lane = async (index: number) => {
    const worker = new Worker(join(logs, `${index}.log`), options.env ?? {})
    try {
      for (let file = todo.shift(); file !== undefined && !signal.aborted; file = todo.shift()) {
        const result = await worker.run(file, options.limitMs, signal)
        if (signal.aborted) return
        done.push(result)
        wake()
      }
    } finally {
      await worker.end()
    }
  }
  const lanes = Array.from({ length: Math.min(options.jobs, files.length) }, (_, index) => lane(index))
  let lanesLeft = lanes.length
  const settled = lanes.map((running) =>
    running.finally(() => {
      lanesLeft -= 1
      wake()
    }),
  )
  try {
    while (true) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      for (let next = done.shift(); next; next = done.shift()) yield next
      if (lanesLeft === 0 && done.length === 0) break
      await woken
    }
    await Promise.all(settled)
    signal.throwIfAborted()
  } finally {
    stop.abort()
    await Promise.allSettled(settled)
    await rm(logs, { recursive: true, force: true })
  }
}

const startLimitMs = 60_000

/** What comes first, `time` when none does in time, `aborted` when the caller has given up. */
async function within(
  limitMs: number,
  signal: AbortSignal,
  outcomes: readonly Promise<string>[],
): Promise<string> {
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  const time = sleep(limitMs, 'time', { signal: either }).catch(() => 'aborted')
  return Promise.race([...outcomes, time]).finally(() => over.abort())
}

/**
 * Where a worker holds more, the next file gets a new one. Node starts a child by a fork, which copies the page tables:
 * 1.2 ms of processor time at 52 MB, 4.3 at 156, 7.4 at 261, and some files start 1,500; a new worker costs a second.
 */
const LARGE_BYTES = 200_000_000

class Worker {
  readonly #log: number
  readonly #env: Readonly<Record<string, string>>
  #process: { child: ChildProcess; ready: Promise<string>; ended: Promise<string> } | undefined

  constructor(log: string, env: Readonly<Record<string, string>>) {
    // A file and not a pipe: nothing is lost when the worker is killed, and a process that it left cannot hold us.
    this.#log = openSync(log, 'a+')
    this.#env = env
  }

  async run(file: string, limitMs: number, signal: AbortSignal): Promise<FileResult> {
    const began = performance.now()
    const logStart = fstatSync(this.#log).size
    const { child, ready, ended } = this.#process ?? this.#start()
    const problems: string[] = []
    let declared = 0
    let passed = 0
    let skipped = 0
    let where = 'its imports'
    let isLarge = false
    // Starting is no part of a file's time: on a busy machine it varies by seconds.
    let outcome = await within(startLimitMs, signal, [ready, ended])
    if (outcome === 'ready') {
      const finished = new Promise<string>((resolve) => {
        child.removeAllListeners('message').on('message', (report: Report) => {
          if (report.at === 'declared') declared += 1
          else if (report.at === 'passed') passed += 1
          else if (report.at === 'skipped') skipped += 1
          else if (report.at === 'started') where = `"${report.test}"`
          else if (report.at === 'problem') problems.push(report.text)
          else if (report.at === 'end') {
            isLarge = report.rssBytes > LARGE_BYTES
            resolve('end')
          }
        })
      })
      child.send(file, () => {}) // a worker that has died says so by its end
      outcome = await within(limitMs, signal, [finished, ended])
    }
    if (outcome === 'time') problems.push(`no end within ${limitMs / 1000} s: it was in ${where}`)
    else if (outcome !== 'end' && outcome !== 'aborted') problems.push(`${outcome} in ${where}`)
    if (outcome !== 'end' || isLarge) await this.#kill()
    if (declared + skipped === 0 && problems.length === 0) problems.push('it declares no test')
    const notPassed = declared - passed
    if (notPassed > 0 && problems.length === 0) {
      const log = this.#read(logStart)
      if (!log.includes(' FAIL '))
        problems.push(`${notPassed} of ${declared} tests were never run; is .run() missing?`)
    }
    return {
      file,
      passed,
      failed: Math.max(notPassed, problems.length > 0 ? 1 : 0),
      skipped,
      durationMs: performance.now() - began,
      problems,
      log: this.#read(logStart),
    }
  }

  async end(): Promise<void> {
    await this.#kill()
    closeSync(this.#log)
  }

  #start() {
    // A process group of its own, so that what tests leave behind can be ended with it.
    const child = spawn(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), fileURLToPath(new URL('./worker.ts', import.meta.url))],
      {
        stdio: ['ignore', this.#log, this.#log, 'ipc'],
        detached: true,
        env: { ...process.env, ...this.#env },
      },
    )
    const ready = new Promise<string>((resolve) => child.once('message', () => resolve('ready')))
    const silent = new Promise((resolve) => child.once('disconnect', resolve))
    const exited = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`the worker could not be started (${error.message})`))
      child.once('exit', (code, by) =>
        resolve(by ? `the process was ended by ${by}` : `the process exited (${code})`),
      )
    })
    // Only when the channel is drained, all that it said is known.
    const ended = exited.then(async (how) => {
      if (child.connected) await silent
      return how
    })
    this.#process = { child, ready, ended }
    return this.#process
  }

  async #kill(): Promise<void> {
    const { child, ended } = this.#process ?? {}
    this.#process = undefined
    if (child?.pid === undefined) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // none left of the group
    }
    await ended
  }

  #read(from: number): string {
    const buffer = Buffer.alloc(fstatSync(this.#log).size - from)
    return buffer.toString('utf8', 0, readSync(this.#log, buffer, 0, buffer.length, from))
  }
}
