import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { type StreamFacts, StreamParser } from '../../pipeline/stream/parser.ts'
import { int, type Random, bytes as randomBytes, runSeed, seeded } from '../support/random.ts'
import { acceptedStreams, fixtureBytes, refusedStreams, ZFS_VERSIONS } from '../support/stream-fixtures.ts'
import { EMPTY_STREAM_BYTES, streamBytes } from '../support/stream-generator.ts'
import { Records, type StreamRecord, sealed } from '../support/stream-records.ts'

const parser = suite('stream parser')

/** Three of 64 bits, so that no half of one may be looked at alone. */
const TO = 0x8000_0001_0000_0003n
const FROM = 0x0000_0001_8000_0000n

function parse(stream: Uint8Array, sizes: Iterator<number> = whole()): StreamFacts {
  const parser = new StreamParser()
  for (let at = 0; at < stream.length; ) {
    const size = Math.min(sizes.next().value, stream.length - at)
    parser.push(stream.subarray(at, at + size))
    at += size
  }
  return parser.end()
}

function* whole(): Generator<number, never> {
  for (;;) yield Number.MAX_SAFE_INTEGER
}

function* single(): Generator<number, never> {
  for (;;) yield 1
}

/** Mostly odd sizes around that of a header, some empty, some large. */
function* pieces(random: Random): Generator<number, never> {
  for (;;) yield int(random, 0, random() < 0.2 ? 20_000 : 700)
}

function refusal(stream: Uint8Array, sizes?: Iterator<number>): TidepoolError {
  try {
    parse(stream, sizes)
  } catch (error) {
    if (error instanceof TidepoolError) return error
    throw error
  }
  throw new Error('the stream was accepted')
}

function refuses(stream: Uint8Array, code: string, offset: number | bigint, why?: RegExp): void {
  for (const sizes of [whole(), single()]) {
    const error = refusal(stream, sizes)
    assert.is(error.code, code, error.message)
    assert.is(error.facts.offset, String(offset), error.message)
    assert.match(error.message, `byte ${offset}: `)
    assert.ok(error.hint)
    assert.not(error.temporary)
    if (why) assert.match(error.message, why)
  }
}

const little = new Records('little', TO)
const stream = (...body: StreamRecord[]): Buffer => sealed('little', [little.begin(), ...body, little.end()])
const block = (length = 512): Buffer => Buffer.alloc(length, 'block')

for (const version of ZFS_VERSIONS) {
  for (const known of acceptedStreams(version)) {
    parser(`${version} ${known.name}: its facts, however it is cut`, () => {
      const bytes = fixtureBytes(version, known.name)
      const random = seeded(runSeed(`${version} ${known.name}`))
      const cuts = [whole(), pieces(random), pieces(random), ...(bytes.length < 60_000 ? [single()] : [])]
      for (const sizes of cuts) {
        const facts = parse(bytes, sizes)
        assert.equal(
          { ...facts, records: Object.fromEntries(Object.entries(facts.records).sort()) },
          {
            fromGuid: known.fromGuid,
            toGuid: known.toGuid,
            toName: known.toName,
            createdAtMs: known.createdAtMs,
            features: known.features,
            byteOrder: 'little',
            raw: known.raw,
            bytes: BigInt(known.bytes),
            logicalBytes: BigInt(known.logicalBytes),
            records: Object.fromEntries(
              Object.entries(known.records)
                .map(([name, count]) => [name, BigInt(count)] as const)
                .sort(),
            ),
          },
        )
      }
    })
  }
  for (const known of refusedStreams(version)) {
    parser(`${version} ${known.name}: ${known.refused}`, () => {
      refuses(fixtureBytes(version, known.name), known.refused, 16)
    })
  }
}

parser('the same facts of the same data with embedded blocks and without', () => {
  const bytes = acceptedStreams('zfs-2.3.2')
  const logical = (name: string) => bytes.find((each) => each.name === name)?.logicalBytes
  assert.is(logical('comp-c'), logical('comp-cLe'))
})

for (const order of ['little', 'big'] as const) {
  for (const each of [true, false]) {
    parser(`${order}-endian, ${each ? 'a checksum in every record' : 'one at the end'}`, () => {
      const made = new Records(order, TO)
      const begin = made.begin({
        fromGuid: FROM,
        name: 'tank/a b@day 1',
        features: ['lz4', 'compressed', 'embedded', 'large-blocks', 'feature-18'],
        createdAtS: 4_102_444_800n,
      })
      const body = [
        made.freeObjects(0n, 7n),
        made.object(7n, 189),
        made.spill({ object: 7n, payload: block(1024) }),
        made.write({ object: 7n, offset: 2n ** 63n, payload: block(1_048_576) }),
        made.write({
          object: 7n,
          offset: 2n ** 63n + 512n,
          logical: 2n ** 24n,
          compression: 15,
          payload: block(),
        }),
        made.embedded({ object: 8n, logical: 131_072n, payload: block(13) }),
        made.free(8n, 2n ** 40n),
        made.end(),
      ]
      const facts = parse(sealed(order, [begin, ...body], each))
      assert.equal(facts, {
        fromGuid: String(FROM),
        toGuid: String(TO),
        toName: 'tank/a b@day 1',
        createdAtMs: 4_102_444_800_000,
        features: ['embedded', 'lz4', 'feature-18', 'large-blocks', 'compressed'],
        byteOrder: order,
        raw: false,
        bytes: BigInt(sealed(order, [begin, ...body], each).length),
        logicalBytes: 1024n + 1_048_576n + 2n ** 24n + 131_072n,
        records: {
          BEGIN: 1n,
          OBJECT: 1n,
          FREEOBJECTS: 1n,
          WRITE: 2n,
          FREE: 1n,
          END: 1n,
          SPILL: 1n,
          WRITE_EMBEDDED: 1n,
        },
      })
    })
  }

  parser(`a raw stream, ${order}-endian`, () => {
    const made = new Records(order, TO)
    const records = [
      made.begin({ features: ['raw', 'compressed', 'lz4'], payload: block(1028) }),
      made.objectRange(32n),
      made.object(33n, 176, true),
      made.object(34n, 0, true),
      made.write({ object: 33n, logical: 1024n, compression: 2, payload: block(1024) }),
      made.spill({ object: 33n, logical: 1024n, compression: 15, payload: block(512) }),
      made.end(),
    ]
    const facts = parse(sealed(order, records))
    assert.ok(facts.raw)
    assert.is(facts.logicalBytes, 2048n)
    assert.is(facts.records.OBJECT_RANGE, 1n)
  })
}

parser('begin is there as soon as the BEGIN record is, and not before', () => {
  const bytes = stream()
  const parser = new StreamParser()
  parser.push(bytes.subarray(0, 311))
  assert.is(parser.begin, undefined)
  parser.push(bytes.subarray(311, 312))
  assert.is(parser.begin?.toGuid, String(TO))
  assert.is(parser.begin?.fromGuid, null)
})

parser('after the first fault every call throws the same', () => {
  const parser = new StreamParser()
  const errors: unknown[] = []
  for (const call of [
    () => parser.push(Buffer.from('nonsense')),
    () => parser.push(stream()),
    () => parser.end(),
  ])
    try {
      call()
    } catch (error) {
      errors.push(error)
    }
  assert.is(errors.length, 3)
  assert.is(new Set(errors).size, 1)
  assert.is(codeOf(errors[0]), 'stream-not-zfs')
})

parser('several parsers at once do not disturb each other', async () => {
  const streams = await Promise.all(
    (['little', 'big', 'little'] as const).map((byteOrder, seed) =>
      streamBytes({ seed, bytes: 20_000, byteOrder, recordBytes: 512 }),
    ),
  )
  const parsers = streams.map(() => new StreamParser())
  for (let at = 0; at < 20_000; at += 97)
    for (const [i, parser] of parsers.entries())
      parser.push(streams[i]?.subarray(at, at + 97) ?? Buffer.alloc(0))
  for (const parser of parsers) assert.is(parser.end().bytes, 20_000n)
})

parser('nothing, and only empty pieces', () => {
  refuses(Buffer.alloc(0), 'stream-empty', 0)
  const parser = new StreamParser()
  parser.push(Buffer.alloc(0))
  try {
    parser.end()
    assert.unreachable()
  } catch (error) {
    assert.is(codeOf(error), 'stream-empty')
  }
})

parser('garbage is called so, however short it is', () => {
  const random = seeded(runSeed('garbage'))
  const magic = Buffer.from('acbabccf5b2000000', 'latin1')
  for (const bytes of [
    Buffer.from('x'),
    Buffer.from('hello world'),
    Buffer.alloc(1000),
    Buffer.alloc(12),
    Buffer.from([0x1f, 0x8b, 8, 0]),
    magic,
  ])
    refuses(bytes, 'stream-not-zfs', 0)
  for (const length of [1, 20, 311, 312, 313, 5000])
    refuses(Buffer.concat([Buffer.from([1]), randomBytes(random, length)]), 'stream-not-zfs', 0)
})

parser('cut off at any byte', () => {
  const bytes = stream(little.object(7n, 44), little.write({ object: 7n, payload: block() }))
  for (let length = 1; length < bytes.length; length++) {
    const error = refusal(bytes.subarray(0, length))
    assert.is(error.code, 'stream-truncated', error.message)
    assert.is(error.facts.offset, String(length))
  }
  refuses(bytes.subarray(0, 5), 'stream-truncated', 5, /307 bytes of the header/)
  refuses(bytes.subarray(0, 312), 'stream-truncated', 312, /END record is missing/)
  refuses(bytes.subarray(0, 312 + 320), 'stream-truncated', 632, /40 bytes of the payload of a OBJECT/)
})

parser('anything after END', () => {
  const bytes = stream()
  for (const more of [Buffer.from([0]), Buffer.from('\n'), bytes])
    refuses(Buffer.concat([bytes, more]), 'stream-concatenated', 624)
})

parser('every flipped bit is found, in streams of each kind of checksum', () => {
  const streams = [
    ...(['little', 'big'] as const).map((order) => {
      const made = new Records(order, TO)
      return sealed(order, [
        made.begin(),
        made.object(7n, 16),
        made.write({ object: 7n, payload: block() }),
        made.end(),
      ])
    }),
    fixtureBytes('zfs-fuse-0.7.0', 'void-incr'),
    fixtureBytes('zfs-2.3.2', 'void-incr'),
  ]
  for (const bytes of streams)
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flip = (): void => {
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      }
      flip()
      refusal(bytes)
      flip()
    }
})

parser('a wrong checksum is told from a wrong record', () => {
  const bytes = stream(little.object(7n, 16), little.write({ object: 7n, payload: block() }))
  const flipped = (at: number): Buffer => {
    const copy = Buffer.from(bytes)
    copy[at] = (copy[at] ?? 0) ^ 4
    return copy
  }
  // In the header of OBJECT itself; in its payload, which the next record's checksum covers; in that of WRITE.
  refuses(flipped(312 + 200), 'stream-corrupt', 312)
  refuses(flipped(624 + 3), 'stream-corrupt', 640)
  refuses(flipped(640 + 312 + 3), 'stream-corrupt', 1464)
  refuses(flipped(1464 + 9), 'stream-corrupt', 1464)
  const old = sealed('little', [little.begin(), little.free(7n, 0n), little.end()], false)
  old[330] = 1
  refuses(old, 'stream-corrupt', 624, /whole stream/)
})

parser('packages, rests, deduplicated and redacted streams', () => {
  const begin = (features: string[], kind = 1): Buffer =>
    sealed('little', [little.begin({ features, kind }), little.end()])
  refuses(begin([], 2), 'stream-compound', 16)
  refuses(begin(['resuming']), 'stream-resumed', 16)
  refuses(begin(['dedup']), 'stream-deduplicated', 16)
  refuses(begin(['dedup-props']), 'stream-deduplicated', 16)
  refuses(begin(['redacted']), 'stream-redacted', 16)
  refuses(stream(little.writeByReference(7n, 0n, 512n)), 'stream-deduplicated', 312)
  refuses(stream(little.redact(7n, 0n, 512n)), 'stream-redacted', 312)
})

parser('a BEGIN that cannot be', () => {
  const wrong = (fields: Parameters<Records['begin']>[0]): Buffer =>
    sealed('little', [little.begin(fields), little.end()])
  refuses(wrong({ kind: 0 }), 'stream-malformed', 16, /kind 0/)
  refuses(wrong({ kind: 3 }), 'stream-malformed', 16, /kind 3/)
  refuses(wrong({ payload: block() }), 'stream-malformed', 4, /512 bytes along in a not raw stream/)
  refuses(wrong({ features: ['raw'] }), 'stream-malformed', 4, /0 bytes along in a raw stream/)
  refuses(wrong({ features: ['raw'], payload: block(30) }), 'stream-malformed', 0, /30 bytes/)
  refuses(wrong({ fromGuid: TO }), 'stream-malformed', 40, /from snapshot/)
  refuses(wrong({ name: 'pool/data' }), 'stream-malformed', 56, /name/)
  refuses(wrong({ name: 'pool/data@\x1b[2J' }), 'stream-malformed', 56, /name/)
  refuses(wrong({ name: `pool@${'x'.repeat(300)}` }), 'stream-malformed', 56, /name/)
  refuses(wrong({ createdAtS: 2n ** 60n }), 'stream-malformed', 24, /second/)
  const none = new Records('little', 0n)
  refuses(sealed('little', [none.begin(), none.end()]), 'stream-malformed', 40)
  const huge = stream()
  huge.writeUInt32LE(0xffffffff, 4)
  refuses(huge, 'stream-malformed', 4)
  const strange = stream()
  strange.writeUInt32LE(6, 32)
  refuses(strange, 'stream-malformed', 32, /type 6/)
})

parser('records out of place', () => {
  const other = new Records('little', TO + 1n)
  const far = new Records('little', TO ^ (1n << 63n))
  refuses(stream(little.begin()), 'stream-malformed', 312, /second BEGIN/)
  refuses(stream(other.free(7n, 0n)), 'stream-malformed', 312, /belongs to snapshot/)
  refuses(stream(far.free(7n, 0n)), 'stream-malformed', 312, /belongs to snapshot/)
  refuses(sealed('little', [little.begin(), other.end()]), 'stream-malformed', 312, /END belongs/)
  const written = (object: bigint, offset: bigint): StreamRecord =>
    little.write({ object, offset, payload: block() })
  refuses(stream(written(8n, 0n), written(7n, 0n)), 'stream-malformed', 1136, /comes after/)
  refuses(stream(written(8n, 512n), written(8n, 0n)), 'stream-malformed', 1136, /comes after/)
  assert.is(parse(stream(written(8n, 0n), written(8n, 2n ** 63n), written(9n, 0n))).records.WRITE, 3n)
})

parser('lengths that cannot be', () => {
  const wrong = (record: StreamRecord, why: RegExp): void =>
    refuses(stream(record), 'stream-malformed', 312, why)
  const doctored = (record: StreamRecord, at: number, value: bigint): StreamRecord => {
    record.header.writeBigUInt64LE(value, at)
    return record
  }
  const written = (): StreamRecord => little.write({ object: 7n, payload: block() })
  wrong(doctored(written(), 32, 0n), /no block has 0 bytes/)
  wrong(doctored(written(), 32, 511n), /no block has 511/)
  wrong(doctored(written(), 32, 513n), /a payload of 513/)
  wrong(doctored(written(), 32, 131_080n), /large-blocks/)
  wrong(doctored(written(), 32, 2n ** 64n - 1n), /needs the feature large-blocks/)
  wrong(doctored(written(), 24, 2n ** 64n - 512n), /ends past/)
  wrong(doctored(written(), 8, 0n), /object number 0/)
  wrong(doctored(written(), 8, 2n ** 48n), /object number 281474976710656/)
  wrong(doctored(written(), 96, 512n), /no compression/)
  wrong(little.write({ object: 7n, compression: 15, payload: block() }), /feature compressed/)
  wrong(little.spill({ object: 7n, payload: block(508) }), /no block has 508/)
  wrong(doctored(little.spill({ object: 7n, payload: block() }), 40, 8n), /in this kind of stream/)
  wrong(little.embedded({ object: 7n, payload: block(16) }), /feature embedded/)
  wrong(little.objectRange(0n), /only a raw stream/)
  wrong(little.freeObjects(2n, 2n ** 64n - 2n), /ends past/)
  wrong(little.free(7n, 2n, 2n ** 64n - 2n), /ends past/)
  wrong(little.free(0n, 0n), /object number 0/)
  wrong(little.object(7n, 321), /321 bytes of bonus/)
  wrong(little.object(7n, 16, true), /do not go with/)
  wrong(doctored(little.object(7n), 32, 0x0021_0000n), /33 slots/)
  wrong({ header: Buffer.alloc(312, 0xff), payload: Buffer.alloc(0) }, /type 4294967295/)
})

parser('an END with something in it is refused where no checksum covers it', () => {
  const end = { header: little.fields('END').u64(40, TO).u8(100, 1).bytes, payload: Buffer.alloc(0) }
  refuses(sealed('little', [little.begin(), end], false), 'stream-malformed', 312, /END holds/)
  assert.is(parse(sealed('little', [little.begin(), end])).bytes, 624n)
})

parser('lengths that cannot be, in streams with features', () => {
  const made = (features: string[], record: StreamRecord): Buffer =>
    sealed('little', [
      little.begin({
        features,
        ...(features.includes('raw') ? { payload: block(4) } : {}),
      }),
      record,
      little.end(),
    ])
  const wrong = (features: string[], record: StreamRecord, why: RegExp): void =>
    refuses(made(features, record), 'stream-malformed', features.includes('raw') ? 316 : 312, why)
  const stored = (length: number, logical = 1024n): StreamRecord =>
    little.write({ object: 7n, logical, compression: 15, payload: block(length) })
  wrong(['compressed'], stored(0), /stored in 0/)
  wrong(['compressed'], stored(1028), /stored in 1028/)
  wrong(['compressed'], stored(513), /a payload of 513/)
  wrong(['large-blocks'], little.write({ object: 7n, payload: block(2 ** 24 + 8) }), /no block has 16777224/)
  wrong(['embedded'], little.embedded({ object: 7n, payload: block(113) }), /113 bytes cannot be embedded/)
  wrong(['embedded'], little.embedded({ object: 7n, logical: 10n, payload: block(12) }), /do not become/)
  wrong(['raw'], little.embedded({ object: 7n, payload: block(16) }), /raw stream holds no embedded/)
  wrong(['raw'], little.write({ object: 7n, payload: block() }), /no compression/)
  wrong(['raw'], little.spill({ object: 7n, payload: block() }), /0 stored bytes/)
  wrong(['raw'], little.object(7n, 16), /do not go with/)
  wrong(['raw'], little.objectRange(16n), /no range/)
  wrong(['raw'], little.objectRange(32n, 31n), /no range/)
  wrong(['raw'], little.objectRange(2n ** 48n), /no range/)
  assert.is(parse(made(['compressed'], stored(516))).logicalBytes, 1024n)
})

parser('sizes past 2^32, in many small records', () => {
  // Each of these claims 16 MiB in 824 bytes.
  const stored = little.write({ object: 7n, logical: 2n ** 24n, compression: 15, payload: block() })
  const parser = new StreamParser({ checksums: false })
  const records = sealed('little', [stored])
  const begin = sealed('little', [little.begin({ features: ['compressed', 'large-blocks'] })])
  parser.push(begin)
  const many = Buffer.concat(new Array<Buffer>(20_000).fill(records))
  for (let turn = 0; turn < 50; turn++) parser.push(many)
  parser.push(sealed('little', [little.end()]))
  const facts = parser.end()
  assert.is(facts.logicalBytes, 1_000_000n * 2n ** 24n)
  assert.is(facts.bytes, 624n + 1_000_000n * 824n)
})

parser('without checksums it follows the records all the same', () => {
  const bytes = stream(little.write({ object: 7n, payload: block() }))
  bytes[900] = 0
  const parser = new StreamParser({ checksums: false })
  parser.push(bytes)
  assert.is(parser.end().logicalBytes, 512n)
  assert.is(refusal(bytes).code, 'stream-corrupt')
})

parser('the smallest stream', async () => {
  const facts = parse(await streamBytes({ seed: 1, bytes: EMPTY_STREAM_BYTES, fromGuid: 5n }))
  assert.is(facts.logicalBytes, 0n)
  assert.equal(facts.records, { BEGIN: 1n, END: 1n })
})

parser.run()
