import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { KIB, MIB } from '../../pipeline/base/units.ts'
import {
  chunkLength,
  decodeManifest,
  encodeManifest,
  type Manifest,
} from '../../pipeline/transfer/manifest.ts'

const manifest = suite('manifest')

const PAST_NUMBERS = 2n ** 53n + 1n

const sample: Manifest = {
  version: 1,
  codec: 'none',
  bytes: PAST_NUMBERS,
  chunkBytes: 4 * MIB,
  chunkCount: 2 ** 31 - 1,
  rootDigest: 'ab'.repeat(32),
  stream: {
    toName: 'pool/x@a',
    createdAtMs: 1_700_000_000_000,
    byteOrder: 'big',
    features: ['compressed', 'feature-40'],
    logicalBytes: 2n ** 63n - 1n,
    records: { BEGIN: 1n, WRITE: PAST_NUMBERS, END: 1n },
  },
  usage: { referencedBytes: PAST_NUMBERS, usedBytes: 0n },
  treeDigest: 'tree',
}

function codeOfThrown(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

manifest('comes back as it was, sizes past 2^53 included', () => {
  assert.equal(decodeManifest(encodeManifest(sample), 'w'), sample)
})

manifest('refuses sizes that a store would wrap silently', () => {
  const { stream } = sample
  assert.is(
    codeOfThrown(() => encodeManifest({ ...sample, bytes: 2n ** 63n })),
    'size-out-of-range',
  )
  assert.is(
    codeOfThrown(() => encodeManifest({ ...sample, bytes: -1n })),
    'size-out-of-range',
  )
  const logical = { ...stream, logicalBytes: 2n ** 63n }
  assert.is(
    codeOfThrown(() => encodeManifest({ ...sample, stream: logical })),
    'size-out-of-range',
  )
})

manifest('one that this program does not know is told from one that is damaged', () => {
  const text = encodeManifest(sample)
  assert.is(
    codeOfThrown(() => decodeManifest(text.replace('"version":1', '"version":2'), 'w')),
    'manifest-newer',
  )
  for (const damaged of [
    '',
    '{',
    'null',
    '{}',
    '[]',
    text.replace('none', 'zip'),
    text.replace('"abab', '"xbab'),
    text.slice(0, -5),
  ])
    assert.is(
      codeOfThrown(() => decodeManifest(damaged, 'w')),
      'manifest-unreadable',
    )
})

manifest('the last chunk is what is left', () => {
  const extent = { bytes: BigInt(150 * KIB), chunkBytes: 64 * KIB, chunkCount: 3 }
  assert.equal(
    [0, 1, 2].map((seq) => chunkLength(extent, seq)),
    [64 * KIB, 64 * KIB, 22 * KIB],
  )
  const long = { bytes: 2n ** 53n - 1n, chunkBytes: 4 * MIB, chunkCount: 2 ** 31 }
  assert.is(chunkLength(long, 2 ** 31 - 1), 4 * MIB - 1)
})

manifest.run()
