/** Tells what a demonstration does, each step with the time that it took. */
import { TidepoolError } from '../../pipeline/base/errors.ts'

export interface StepLine {
  readonly what: string
  readonly tookMs: number
}

export class Steps {
  readonly done: StepLine[] = []
  readonly #signal: AbortSignal
  readonly #say: (line: StepLine) => Promise<void>

  constructor(signal: AbortSignal, say: (line: StepLine) => Promise<void>) {
    this.#signal = signal
    this.#say = say
  }

  /** The work tells what came of it, in the words that people read. */
  async step<T>(what: string | ((result: T) => string), work: () => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted()
    const beganMs = performance.now()
    const result = await work()
    const line = {
      what: typeof what === 'string' ? what : what(result),
      tookMs: Math.round(performance.now() - beganMs),
    }
    this.done.push(line)
    await this.#say(line)
    return result
  }
}

export const inPeopleWords = ({ what, tookMs }: StepLine): string =>
  `${(tookMs / 1000).toFixed(2).padStart(7)} s  ${what}`

/** What was to be shown is not so: the demonstration ends here, and the command with a failure. */
export function insist(holds: boolean, what: string): asserts holds {
  if (!holds)
    throw new TidepoolError('demo-failed', `the demonstration went wrong: ${what}`, {
      hint: 'Please report it, with all that was printed.',
    })
}
