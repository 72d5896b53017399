import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  MAX_IDS,
  MAX_LINE_BYTES,
  messages,
  type Reply,
  reply,
  request,
  toLine,
} from '../../daemon/access/protocol.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { bytes, int, runSeed, seeded } from '../support/random.ts'

const test = suite('access: protocol')

async function* pieces(...parts: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part as string)
}

async function all<T>(found: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const one of found) list.push(one)
  return list
}

async function codeOfReading(...parts: readonly (string | Buffer)[]): Promise<string | undefined> {
  try {
    await all(messages(pieces(...parts), request))
  } catch (error) {
    return codeOf(error)
  }
  return undefined
}

test('messages come out as they went in, however they were cut', async () => {
  const random = seeded(runSeed('access: protocol'))
  const sent: Reply[] = [
    { tell: 'path', seq: 0, path: '/real/ü' },
    { tell: 'failed', seq: 1, errno: 'EDQUOT' },
    { tell: 'listed', seq: 2, ids: [projectId('a'), projectId('b')], more: false },
    { tell: 'forget', seq: 3 },
  ]
  const text = Buffer.from(sent.map(toLine).join(''))
  for (let round = 0; round < 50; round++) {
    const parts: Buffer[] = []
    for (let from = 0; from < text.length; ) {
      const to = from + int(random, 1, 30)
      parts.push(text.subarray(from, to))
      from = to
    }
    assert.equal(await all(messages(pieces(...parts), reply)), sent)
  }
})

test('the longest list of the longest ids is a line', () => {
  const ids = Array.from({ length: MAX_IDS }, () => projectId('x'.repeat(63)))
  const line = toLine({ tell: 'listed', seq: Number.MAX_SAFE_INTEGER, ids, more: false })
  assert.ok(Buffer.byteLength(line) <= MAX_LINE_BYTES, `${line.length}`)
})

test('what a newer program says is passed over; an errno that is not known is EIO', async () => {
  const newer = '{"tell":"news","seq":1}\n{"tell":"failed","seq":2,"errno":"EWHAT","why":"x"}\n'
  assert.equal(await all(messages(pieces(newer), reply)), [{ tell: 'failed', seq: 2, errno: 'EIO' }])
})

test('what names no project is passed over too', async () => {
  const asked = (id: unknown) => JSON.stringify({ ask: 'open', seq: 1, id })
  const tricks = ['../real', '', 'A', 'a/b', 5, null, ['a']].map(asked).join('\n')
  assert.equal(await all(messages(pieces(`${tricks}\n${asked('a')}\n`), request)), [
    { ask: 'open', seq: 1, id: projectId('a') },
  ])
})

test('what is no line of JSON, or endless, ends the connection before it fills the memory', async () => {
  assert.is(await codeOfReading('{"ask":\n'), 'bad-line')
  assert.is(await codeOfReading(`${'x'.repeat(MAX_LINE_BYTES + 1)}\n`), 'bad-line')
  assert.is(
    await codeOfReading(...Array.from({ length: 3 }, () => 'x'.repeat(MAX_LINE_BYTES / 2))),
    'bad-line',
  )
  assert.is(await codeOfReading(bytes(seeded(7), 1000), '\n'), 'bad-line')
  // Cut off in the middle is what a killed process leaves.
  assert.is(await codeOfReading('{"ask":"op'), undefined)
})

test.run()
