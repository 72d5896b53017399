import { Writable } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { localTime, Output, properties, ReaderLeft, table, toJson, utcTime } from '../../daemon/cli/output.ts'

const test = suite('output')

test('bigints are text in JSON, and no digit is lost', () => {
  assert.is(toJson({ bytes: 2n ** 63n - 1n, list: [1n] }), '{"bytes":"9223372036854775807","list":["1"]}')
})

test('times are UTC for machines, and local with their offset for people', () => {
  const ms = Date.UTC(2026, 10, 22, 9, 25, 10)
  assert.is(utcTime(ms), '2026-11-22T09:25:10.000Z')
  assert.is(localTime(ms, 60), '2026-11-22 10:25:10 +01:00')
  assert.is(localTime(ms, -570), '2026-11-21 23:55:10 -09:30')
  assert.is(localTime(ms, 0), '2026-11-22 09:25:10 +00:00')
})

test('a table is as wide as its longest cells, with nothing behind the last', () => {
  const columns = [{ title: 'NAME' }, { title: 'SIZE', align: 'right' as const }, { title: '' }]
  assert.equal(
    table(columns, [
      ['a-long-name', '1', ''],
      ['b', '1234567', 'head'],
    ]),
    ['NAME            SIZE', 'a-long-name        1', 'b            1234567  head'],
  )
  assert.equal(
    properties([
      ['a', '1'],
      ['long', '2'],
    ]),
    ['a     1', 'long  2'],
  )
})

test('a reader who left is told apart from every other failure', async () => {
  const broken = (code: string) =>
    new Writable({ write: (_piece, _encoding, done) => done(Object.assign(new Error(code), { code })) })
  for (const [code, left] of [
    ['EPIPE', true],
    ['ENOSPC', false],
  ] as const) {
    const out = new Output(broken(code), { json: false })
    for (let time = 0; time < 2; time++)
      try {
        await out.write('x')
        assert.unreachable()
      } catch (error) {
        assert.is(error instanceof ReaderLeft, left, code)
        if (!left) assert.match(String(error), /can't write to standard output: the disk is full/)
      }
  }
})

test.run()
