/** What the limiter promises, held against long random histories of asking, leaving, giving up and changing limits. */
import { getEventListeners } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { adaptiveLimiter, type Limiter, type Permit, type Priority } from '../../pipeline/limit/limiter.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'
import { chance, int, pick, type Random, runSeed, seeded } from '../support/random.ts'

const test = suite('limiter, any history')

const MAX_BYTES = 100
const PRIORITIES: readonly Priority[] = ['open', 'save', 'mirror', 'scrub']

interface Asked {
  readonly priority: Priority
  readonly bytes: number
  readonly leaving: AbortController
  permit?: Permit
}

/** Asks and leaves at random, and keeps beside the limiter its own book of who waits and who is in. */
class Book {
  readonly limiter: Limiter
  readonly waiting: Asked[] = []
  readonly inFlight: Asked[] = []
  readonly signals: AbortSignal[] = []
  onAdmitted: (asked: Asked) => void = () => {}
  #broken: { error: unknown } | undefined
  readonly #clock = new ManualClock()
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
    this.limiter = adaptiveLimiter({ clock: this.#clock, maxBytes: MAX_BYTES, max: 24 })
  }

  bytesOf(list: readonly Asked[]): number {
    return list.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  first(priority: Priority): Asked | undefined {
    return this.waiting.find((asked) => asked.priority === priority)
  }

  ask(priority = pick(this.#random, PRIORITIES)): void {
    const bytes = pick(this.#random, [
      0,
      1,
      int(this.#random, 1, 20),
      int(this.#random, 1, 20),
      int(this.#random, 50, 120),
    ])
    const leaving = new AbortController()
    const asked: Asked = { priority, bytes, leaving }
    this.signals.push(leaving.signal)
    this.waiting.push(asked)
    this.limiter
      .acquire(bytes, { priority, signal: leaving.signal })
      .then(
        (permit) => {
          this.onAdmitted(asked)
          asked.permit = permit
          this.#take(this.waiting, asked)
          this.inFlight.push(asked)
        },
        (reason: unknown) => {
          assert.is(reason instanceof Error && reason.message, 'gave up')
          this.#take(this.waiting, asked)
        },
      )
      .catch((error: unknown) => {
        this.#broken ??= { error }
      })
  }

  leave(): void {
    if (this.inFlight.length === 0) return
    const asked = pick(this.#random, this.inFlight)
    this.#take(this.inFlight, asked)
    asked.permit?.release()
    if (chance(this.#random, 0.1)) asked.permit?.release()
  }

  giveUp(): void {
    const all = chance(this.#random, 0.9) ? this.waiting : this.inFlight
    if (all.length > 0) pick(this.#random, all).leaving.abort(new Error('gave up'))
  }

  async observe(): Promise<void> {
    await this.#clock.advance(int(this.#random, 0, 400))
    const count = int(this.#random, 1, 24)
    const outcome = chance(this.#random, 0.05) ? 'overload' : 'ok'
    const elapsedMs = chance(this.#random, 0.2) ? 200 : 20
    for (let i = 0; i < count; i++) {
      this.limiter.observe({ elapsedMs, outcome })
      // One may raise the limit and the next one cut it: whoever comes in between belongs to the higher one.
      await this.settle()
    }
  }

  /** Lets what was done take its effect, and fails with the first rule that was broken by it. */
  async settle(): Promise<void> {
    await settle()
    if (this.#broken) throw this.#broken.error
  }

  async drain(): Promise<void> {
    for (let rounds = 0; this.inFlight.length > 0 || this.waiting.length > 0; rounds++) {
      assert.ok(rounds < 100_000 && this.inFlight.length > 0, `${this.waiting.length} wait and nobody is in`)
      this.leave()
      await this.settle()
    }
    const { inFlight, inFlightBytes, waiting } = this.limiter.state
    assert.equal([inFlight, inFlightBytes, waiting], [0, 0, 0])
    for (const signal of this.signals) assert.is(getEventListeners(signal, 'abort').length, 0)
  }

  #take(list: Asked[], asked: Asked): void {
    const index = list.indexOf(asked)
    assert.ok(index >= 0, 'settled twice')
    list.splice(index, 1)
  }
}

/** Checks each admission against the rules, at the moment it is made. */
function referee(book: Book): void {
  let overtakes = 0
  book.onAdmitted = (asked) => {
    const { limit } = book.limiter.state
    const { priority, bytes } = asked
    const others = book.inFlight.filter((other) => other.priority !== 'save')
    const saves = book.inFlight.filter((other) => other.priority === 'save')
    const [open, save, mirror] = [book.first('open'), book.first('save'), book.first('mirror')]
    const kept = { count: Math.ceil(limit / 10), bytes: Math.max(MAX_BYTES / 10, save?.bytes ?? 0) }

    if (book.inFlight.length > 0) {
      assert.ok(book.inFlight.length < limit, 'more than the limit in flight')
      assert.ok(book.bytesOf(book.inFlight) + bytes <= MAX_BYTES, 'more than the bytes in flight')
    }
    assert.is(book.first(priority), asked, `${priority} overtook its own kind`)
    if (priority === 'mirror' || priority === 'scrub')
      assert.ok(!open && !save, `${priority} went before open or save`)
    if (priority === 'scrub') assert.ok(!mirror, 'scrub went before mirror')
    if (priority === 'open' && save && limit > 1 && bytes <= MAX_BYTES - kept.bytes) {
      assert.ok(others.length + 1 <= limit - kept.count, 'an open took the last tenth')
      assert.ok(
        book.bytesOf(others) + bytes <= MAX_BYTES - kept.bytes,
        'an open took the last tenth of bytes',
      )
    }
    if (priority === 'save' && open && overtakes < 9) {
      assert.ok(saves.length + 1 <= kept.count, 'a save passed an open outside the tenth')
      assert.ok(book.bytesOf(saves) + bytes <= kept.bytes, 'a save passed an open outside the tenth of bytes')
    }
    if (priority === 'save') overtakes = 0
    else overtakes = save ? overtakes + 1 : 0
    assert.ok(overtakes <= 9, 'a save was overtaken more than nine times')
  }
}

function nobodyForgotten(book: Book): void {
  const { limit, inFlight, inFlightBytes, waiting } = book.limiter.state
  assert.equal([inFlight, waiting], [book.inFlight.length, book.waiting.length])
  assert.is(inFlightBytes, book.bytesOf(book.inFlight))
  if (waiting > 0) assert.ok(inFlight > 0, 'all wait')
  const kinds = new Set(book.waiting.map(({ priority }) => priority))
  const first = book.waiting[0]
  if (kinds.size === 1 && first)
    assert.ok(inFlight >= limit || inFlightBytes + first.bytes > MAX_BYTES, 'the first would fit and waits')
}

test('limit, bytes, order, the tenth of the saves, and no lost wake-up', async () => {
  const seed = runSeed('limiter rules')
  for (let run = 0; run < 20; run++) {
    const random = seeded(seed + run)
    const book = new Book(random)
    referee(book)
    for (let step = 0; step < 400; step++) {
      const what = random()
      if (what < 0.45) book.ask()
      else if (what < 0.85) book.leave()
      else if (what < 0.95) book.giveUp()
      else await book.observe()
      await book.settle()
      nobodyForgotten(book)
    }
    await book.drain()
  }
})

test('whatever happens in the same moment, nothing is let in twice or lost', async () => {
  const seed = runSeed('limiter races')
  for (let run = 0; run < 20; run++) {
    const random = seeded(seed + run)
    const book = new Book(random)
    for (let step = 0; step < 300; step++) {
      for (let together = int(random, 1, 6); together > 0; together--) {
        const what = random()
        if (what < 0.4) book.ask()
        else if (what < 0.7) book.leave()
        else if (what < 0.95) book.giveUp()
        else book.limiter.observe({ elapsedMs: 20, outcome: chance(random, 0.5) ? 'ok' : 'overload' })
      }
      await book.settle()
      nobodyForgotten(book)
    }
    await book.drain()
  }
})

test('a flood of opens never keeps a save waiting for more than nine of them', async () => {
  const random = seeded(runSeed('limiter flood'))
  const book = new Book(random)
  referee(book)
  for (let step = 0; step < 2000; step++) {
    book.ask('open')
    await book.settle()
    if (chance(random, 0.1)) book.ask('save')
    await book.settle()
    while (book.inFlight.length > int(random, 0, 3)) {
      book.leave()
      await book.settle()
    }
  }
  await book.drain()
})

test.run()
