/** What an access process counts of its root, since it began, for whoever watches the host. */
import { randomUUID } from 'node:crypto'
import { FUSE_OPERATIONS, type FuseOperation } from '../../native/fuse/answers.ts'
import { ERRNOS, type Errno } from '../../native/fuse/errno.ts'

export interface Figures {
  /** Another one has begun to count anew. */
  readonly process: string
  /** Callers that wait for the daemon at this moment. */
  readonly waiting: number
  readonly answers: Readonly<Record<FuseOperation, number>>
  readonly errors: Readonly<Record<Errno, number>>
}

const zeros = <Name extends string>(names: readonly Name[]): Record<Name, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>

export class Counts {
  readonly #process = randomUUID()
  readonly #answers = zeros(FUSE_OPERATIONS)
  readonly #errors = zeros(ERRNOS)

  readonly answered = (operation: FuseOperation, errno?: Errno): void => {
    this.#answers[operation]++
    if (errno !== undefined) this.#errors[errno]++
  }

  figures(waiting: number): Figures {
    return { process: this.#process, waiting, answers: { ...this.#answers }, errors: { ...this.#errors } }
  }
}
