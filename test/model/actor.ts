/**
 * An actor is an ordinary async function that asks for one thing at a time. It is deterministic, so where it stands
 * is what it has been answered: a `Story`. Stories form a tree that is kept, so that each turn of an actor's code
 * runs once and every other interleaving that comes to the same turn only looks it up. A story that is no longer at
 * its actor's present is told again from the start.
 */

export interface Answer {
  /** Equal keys are equal answers. */
  readonly key: string
  readonly value?: unknown
  readonly error?: () => Error
}

export type Ask<Request> = (request: Request) => Promise<unknown>
export type Program<Request> = (ask: Ask<Request>) => Promise<string>

/** What an actor does next: it asks for something, or it has ended with an outcome. */
interface Turn<Request> {
  readonly request?: Request
  readonly outcome?: string
  readonly failure?: unknown
}

/** A running program, stopped at its latest request. */
class Running<Request> {
  #turned: (turn: Turn<Request>) => void = () => {}
  #answered: (answer: Answer) => void = () => {}

  begin(program: Program<Request>): Promise<Turn<Request>> {
    const turn = this.#nextTurn()
    const ask = (request: Request): Promise<unknown> =>
      new Promise((resolve, reject) => {
        this.#answered = (answer) => (answer.error ? reject(answer.error()) : resolve(answer.value))
        this.#turned({ request })
      })
    program(ask).then(
      (outcome) => this.#turned({ outcome }),
      (failure: unknown) => this.#turned({ failure }),
    )
    return turn
  }

  goOn(answer: Answer): Promise<Turn<Request>> {
    const turn = this.#nextTurn()
    this.#answered(answer)
    return turn
  }

  #nextTurn(): Promise<Turn<Request>> {
    return new Promise((resolve) => {
      this.#turned = resolve
    })
  }
}

let stories = 0

export class Story<Request> {
  readonly id = stories++
  readonly turn: Turn<Request>
  readonly #program: Program<Request>
  readonly #before: { readonly story: Story<Request>; readonly answer: Answer } | undefined
  readonly #after = new Map<string, Story<Request>>()
  /** The actor itself, as long as nobody has gone on from here. */
  #running: Running<Request> | undefined

  private constructor(
    program: Program<Request>,
    turn: Turn<Request>,
    running: Running<Request>,
    before?: { story: Story<Request>; answer: Answer },
  ) {
    this.#program = program
    this.turn = turn
    this.#running = running
    this.#before = before
  }

  static async of<Request>(program: Program<Request>): Promise<Story<Request>> {
    const running = new Running<Request>()
    return new Story(program, await running.begin(program), running)
  }

  /** The story that goes on with that answer. */
  async after(answer: Answer): Promise<Story<Request>> {
    const known = this.#after.get(answer.key)
    if (known) return known
    const running = this.#running ?? (await this.#retold())
    this.#running = undefined
    const next = new Story(this.#program, await running.goOn(answer), running, { story: this, answer })
    this.#after.set(answer.key, next)
    return next
  }

  async #retold(): Promise<Running<Request>> {
    const answers: Answer[] = []
    for (let at = this.#before; at; at = at.story.#before) answers.push(at.answer)
    const running = new Running<Request>()
    await running.begin(this.#program)
    for (const answer of answers.reverse()) await running.goOn(answer)
    return running
  }
}
