import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StreamParser } from '../../pipeline/stream/parser.ts'
import { EMPTY_STREAM_BYTES, generateStream, MIN_STREAM_BYTES, streamBytes } from './stream-generator.ts'

const generator = suite('stream generator')

generator('makes a valid stream of exactly the length, in pieces of exactly the size', async () => {
  const M = MIN_STREAM_BYTES
  for (const recordBytes of [512, 520, 4096, 131_072, 262_144])
    for (const bytes of [624, M, M + 8, M + 816, M + 824, M + 832, M + 1648, 133_000, 133_008, 300_000])
      for (const byteOrder of ['little', 'big'] as const) {
        const parser = new StreamParser()
        let length = 0
        const pieceBytes = 10_007
        for await (const piece of generateStream({
          seed: bytes,
          bytes,
          recordBytes,
          byteOrder,
          pieceBytes,
        })) {
          parser.push(piece)
          length += piece.length
          assert.ok(piece.length === pieceBytes || length === bytes)
        }
        assert.is(length, bytes)
        assert.is(parser.end().byteOrder, byteOrder)
      }
})

generator('says no to a length that no stream has', async () => {
  for (const bytes of [0, 623, 632, MIN_STREAM_BYTES - 8, MIN_STREAM_BYTES + 4]) {
    const error = await streamBytes({ seed: 1, bytes }).catch((error: unknown) => error)
    assert.instance(error, RangeError, `${bytes}`)
  }
})

generator('the same seed, the same bytes; another, others', async () => {
  const options = { bytes: 50_000, recordBytes: 4096 }
  const [one, again, other] = await Promise.all(
    [1, 1, 2].map((seed) => streamBytes({ ...options, seed, toGuid: 7n })),
  )
  assert.ok(one?.equals(again as Buffer))
  assert.not(one?.equals(other as Buffer))
})

generator('writes what it is told into BEGIN', async () => {
  const parser = new StreamParser()
  parser.push(
    await streamBytes({
      seed: 3,
      bytes: EMPTY_STREAM_BYTES,
      fromGuid: '18446744073709551615',
      toGuid: 12n,
      name: 'tank/home@monday',
      createdAtMs: 1_234_567_890_999,
      features: ['lz4'],
      recordChecksums: false,
    }),
  )
  const facts = parser.end()
  assert.is(facts.fromGuid, '18446744073709551615')
  assert.is(facts.toGuid, '12')
  assert.is(facts.toName, 'tank/home@monday')
  assert.is(facts.createdAtMs, 1_234_567_890_000)
  assert.equal(facts.features, ['lz4'])
})

generator.run()
