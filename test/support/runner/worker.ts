/** The worker process: runs the test files that it is told, one after another, and reports what each does as it happens. */
import { register } from 'node:module'
import { pathToFileURL } from 'node:url'
import { newQueue, record, runQueue } from './counted-uvu.ts'

/** What the worker tells. A file's report ends with `end`, or with the death of the process. */
export type Report =
  | { readonly at: 'ready' }
  | { readonly at: 'declared' | 'skipped' | 'passed' }
  /** With the memory that the process holds then. */
  | { readonly at: 'end'; readonly rssBytes: number }
  | { readonly at: 'started'; readonly test: string }
  | { readonly at: 'problem'; readonly text: string }

const tell = (report: Report) => process.send?.(report)
const describe = (thrown: unknown) =>
  thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
const turn = () => new Promise((resolve) => setImmediate(resolve))

register('./uvu-hooks.mjs', import.meta.url)
record({
  declared: () => tell({ at: 'declared' }),
  skipped: () => tell({ at: 'skipped' }),
  started: (test) => tell({ at: 'started', test }),
  passed: () => tell({ at: 'passed' }),
  problem: (text) => tell({ at: 'problem', text }),
})

// Both would end the process, and with it the files that are still to come.
process.on('unhandledRejection', (reason) =>
  tell({ at: 'problem', text: `a promise was rejected and nobody looked: ${describe(reason)}` }),
)
process.on('uncaughtException', (error) =>
  tell({ at: 'problem', text: `an exception outside of every test: ${describe(error)}` }),
)
// The runner is gone, however it went: so is everything that the tests have started.
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'))

process.on('message', async (file: string) => {
  newQueue()
  try {
    await import(pathToFileURL(file).href)
    await runQueue()
  } catch (error) {
    tell({ at: 'problem', text: `the file could not be run: ${describe(error)}` })
  }
  // Rejections are announced after the microtasks of the turn in which nobody looked.
  await turn()
  await turn()
  tell({ at: 'end', rssBytes: process.memoryUsage.rss() })
})
tell({ at: 'ready' })
