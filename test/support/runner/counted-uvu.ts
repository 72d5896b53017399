/**
 * uvu, with every declared test and every hook counted: what test files get as `uvu` inside the runner's worker.
 *
 * uvu itself prints a green total and exits 0 when a hook throws and when a file forgets `.run()`, because it only
 * counts what ran. Counting `test(...)` in the text was the other road; it cannot see tests made in loops.
 */
import type { Callback, Context, Test } from 'uvu'

export interface Ledger {
  declared(): void
  skipped(): void
  started(name: string): void
  passed(): void
  /** Something that makes the file fail though no test of it may have failed. */
  problem(text: string): void
}

const nobody: Ledger = { declared() {}, skipped() {}, started() {}, passed() {}, problem() {} }
let ledger = nobody

export function record(next: Ledger): void {
  ledger = next
}

type Run = () => Promise<[errors: string | true, ran: number, skipped: number, total: number]>
const shared = globalThis as typeof globalThis & {
  UVU_DEFER?: number
  UVU_INDEX?: number
  UVU_QUEUE: Run[][]
}

// Without it uvu runs what it was given by itself, a timer's turn after the import.
shared.UVU_DEFER = 1
const uvu = await import('uvu')

let generation = 0

/** Makes room for one file's suites; what its `.run()` calls queue is then run by `runQueue`. */
export function newQueue(): void {
  shared.UVU_QUEUE.length = 0
  shared.UVU_QUEUE.push([])
  shared.UVU_INDEX = 0
  generation += 1
}

/** Runs what was queued, as uvu's own `exec` does, without its summary. */
export async function runQueue(): Promise<void> {
  for (const run of shared.UVU_QUEUE[0] ?? []) {
    const [errors] = await run()
    if (typeof errors === 'string') process.stdout.write(`\n${errors}\n`)
  }
}

export function suite<T = Context>(name = '', state?: T): Test<T> {
  const real = uvu.suite<T>(name, state)
  const declare = (test: string, body: Callback<T>) => {
    const full = name === '' ? test : `${name} › ${test}`
    const mine = generation
    ledger.declared()
    real(test, async (context) => {
      // uvu's own `test` belongs to all files; one that forgets `.run()` leaves its tests to the next.
      if (mine !== generation) return ledger.problem(`"${full}" was left here by a file that forgot .run()`)
      ledger.started(full)
      await body(context)
      ledger.passed()
    })
  }
  const hook = (kind: string, register: (hook: Callback<T>) => void) => (body: Callback<T>) =>
    register(async (context) => {
      try {
        await body(context)
      } catch (error) {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
        ledger.problem(`a hook threw (${kind} of suite "${name}"): ${text}`)
        throw error
      }
    })
  const hooks = (kind: 'before' | 'after') =>
    Object.assign(hook(kind, real[kind]), { each: hook(`${kind}.each`, real[kind].each) })
  return Object.assign(declare, {
    before: hooks('before'),
    after: hooks('after'),
    only: (test: string, body: Callback<T>) => {
      ledger.problem(`"${test}" is marked .only, which leaves out all others`)
      declare(test, body)
    },
    skip: (test?: string, body?: Callback<T>) => {
      ledger.skipped()
      real.skip(test, body)
    },
    run: () => real.run(),
  })
}

export const test = suite()
export const exec = uvu.exec
