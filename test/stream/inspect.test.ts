import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { inspect, type StreamFacts, StreamParser } from '../../pipeline/stream/parser.ts'
import { streamBytes } from '../support/stream-generator.ts'

const inspecting = suite('inspect')

const BYTES = 20_000

/** Hands out the pieces and remembers how far it got and whether it was closed. */
class Source implements AsyncIterable<Uint8Array> {
  readonly pieces: readonly Uint8Array[]
  readonly failure: Error | undefined
  given = 0
  closed = 0

  constructor(pieces: readonly Uint8Array[], failure?: Error) {
    this.pieces = pieces
    this.failure = failure
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (const piece of this.pieces) {
        this.given++
        yield piece
      }
      if (this.failure) throw this.failure
    } finally {
      this.closed++
    }
  }
}

async function cut(size: number, bytes: number | Buffer = BYTES): Promise<Buffer[]> {
  const whole = typeof bytes === 'number' ? await streamBytes({ seed: 4, bytes, recordBytes: 1024 }) : bytes
  const pieces: Buffer[] = []
  for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size))
  return pieces
}

async function drain(
  flow: AsyncGenerator<Uint8Array, StreamFacts>,
  into: Uint8Array[],
): Promise<StreamFacts> {
  for (;;) {
    const step = await flow.next()
    if (step.done) return step.value
    into.push(step.value)
  }
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

inspecting('passes on the very pieces and returns the facts', async () => {
  for (const size of [100, 311, 312, 313, BYTES]) {
    const source = new Source(await cut(size))
    const passed: Uint8Array[] = []
    const facts = await drain(inspect(source, new StreamParser()), passed)
    assert.is(facts.bytes, BigInt(BYTES))
    assert.is(passed.length, source.pieces.length)
    assert.ok(passed.every((piece, i) => piece === source.pieces[i]))
    assert.is(source.closed, 1)
  }
})

inspecting('leaves out empty pieces, also endless ones before BEGIN', async () => {
  const none = new Array<Buffer>(1000).fill(Buffer.alloc(0))
  const [first = none[0], ...rest] = await cut(400)
  const source = new Source([...none, first as Buffer, ...none, ...rest])
  const passed: Uint8Array[] = []
  await drain(inspect(source, new StreamParser()), passed)
  assert.ok(passed.every((piece) => piece.length > 0))
  assert.is(
    passed.reduce((sum, piece) => sum + piece.length, 0),
    BYTES,
  )
})

inspecting('tells of BEGIN once, before the first byte goes on', async () => {
  const source = new Source(await cut(50))
  const told: string[] = []
  let passed = 0
  const flow = inspect(source, new StreamParser(), async (begin) => {
    await Promise.resolve()
    assert.is(passed, 0)
    told.push(begin.toName)
  })
  for await (const piece of flow) passed += piece.length
  assert.equal(told, ['pool/data@snapshot'])
})

inspecting('what is refused by its BEGIN passes no byte on', async () => {
  const source = new Source(await cut(64, Buffer.alloc(5000, 'nonsense')))
  const passed: Uint8Array[] = []
  const error = await failure(drain(inspect(source, new StreamParser()), passed))
  assert.is(codeOf(error), 'stream-not-zfs')
  assert.is(passed.length, 0)
  assert.is(source.given, 1)
  assert.is(source.closed, 1)
})

inspecting('an error of onBegin comes out as it is, and nothing goes on', async () => {
  const source = new Source(await cut(1000))
  const mine = new Error('no such project')
  const passed: Uint8Array[] = []
  const refuse = (): never => {
    throw mine
  }
  assert.is(await failure(drain(inspect(source, new StreamParser(), refuse), passed)), mine)
  assert.is(passed.length, 0)
  assert.is(source.closed, 1)
})

inspecting('a fault in the middle closes the source and keeps the piece back', async () => {
  const pieces = (await cut(1000)).map((piece) => Buffer.from(piece))
  pieces[10]?.fill(1, 500, 600)
  const source = new Source(pieces)
  const passed: Uint8Array[] = []
  const error = await failure(drain(inspect(source, new StreamParser()), passed))
  assert.is(codeOf(error), 'stream-corrupt')
  assert.ok(passed.length >= 10 && passed.length < source.given, `${passed.length} of ${source.given}`)
  assert.ok(source.given < pieces.length)
  assert.is(source.closed, 1)
})

inspecting('a stream cut off, and one with something after it', async () => {
  const whole = await cut(1000)
  const cutOff = new Source(whole.slice(0, -1))
  assert.is(codeOf(await failure(drain(inspect(cutOff, new StreamParser()), []))), 'stream-truncated')
  const two = new Source([...whole, ...whole])
  const error = await failure(drain(inspect(two, new StreamParser()), []))
  assert.is(codeOf(error), 'stream-concatenated')
  assert.is(two.closed, 1)
  assert.is(codeOf(await failure(drain(inspect(new Source([]), new StreamParser()), []))), 'stream-empty')
})

inspecting('an error of the source comes out as it is', async () => {
  const mine = new Error('the sender failed')
  for (const pieces of [[], (await cut(1000)).slice(0, 3), await cut(1000)]) {
    const source = new Source(pieces, mine)
    assert.is(await failure(drain(inspect(source, new StreamParser()), [])), mine)
    assert.is(source.closed, 1)
  }
})

inspecting('a caller who leaves early closes the source', async () => {
  const source = new Source(await cut(100))
  for await (const _ of inspect(source, new StreamParser())) break
  assert.is(source.closed, 1)
  // BEGIN ends in the fourth piece.
  assert.is(source.given, 4)
})

inspecting.run()
