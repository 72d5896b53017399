/** What the access process tells of itself. It outlives daemons, so a daemon that starts goes on with its counts. */
import { FUSE_OPERATIONS } from '../../native/fuse/answers.ts'
import { ERRNOS } from '../../native/fuse/errno.ts'
import type { Figures } from '../access/figures.ts'
import type { Maker } from './make.ts'

export class FuseMetrics {
  readonly #up
  readonly #waiting
  readonly #answers
  readonly #errors
  readonly #restarts
  #last: Figures | undefined

  constructor(make: Maker) {
    this.#up = make.gauge('fuse_up', '1 while an access process is connected')
    this.#waiting = make.gauge('fuse_callers_waiting', 'Walks that wait for a project to be opened')
    this.#answers = make.counter('fuse_answers_total', 'Answers to the kernel', {
      operation: FUSE_OPERATIONS,
    })
    this.#errors = make.counter('fuse_errors_total', 'Answers to the kernel that were an error', {
      errno: ERRNOS,
    })
    this.#restarts = make.counter('fuse_restarts_total', 'Access processes that came after another one')
    this.#up.set(0)
  }

  /** Undefined: none is connected any more. */
  note(figures: Figures | undefined): void {
    this.#up.set(figures ? 1 : 0)
    if (!figures) {
      this.#waiting.remove()
      return
    }
    const before = this.#last?.process === figures.process ? this.#last : undefined
    if (this.#last && !before) this.#restarts.inc()
    this.#waiting.set(figures.waiting)
    for (const operation of FUSE_OPERATIONS)
      this.#answers.inc({ operation }, more(figures.answers[operation], before?.answers[operation]))
    for (const errno of ERRNOS)
      this.#errors.inc({ errno }, more(figures.errors[errno], before?.errors[errno]))
    this.#last = figures
  }
}

/** What came late is older than what is known, and nothing is taken back. */
const more = (now: number, before = 0): number => Math.max(0, now - before)
