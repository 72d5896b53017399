import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import {
  featureList,
  featureNames,
  headerKind,
  receivableFrom,
  versionInfo,
} from '../../pipeline/stream/features.ts'

const features = suite('stream features')

features('are named by their bit, unknown ones by its number', () => {
  // As two versions of ZFS wrote them for `send -w` and `send -L`.
  assert.equal(featureNames((0x1420004n << 2n) | 1n), ['sa-spill', 'lz4', 'compressed', 'raw'])
  assert.equal(featureNames((0x80004n << 2n) | 1n), ['sa-spill', 'large-blocks'])
  assert.equal(featureNames((1n << 20n) | (1n << 63n) | 2n), ['feature-18', 'feature-61'])
  assert.equal(featureNames(1n), [])
})

features('and the kind of header come back as they were', () => {
  for (let bit = 0; bit < 62; bit++) {
    const names = featureNames(1n << BigInt(bit + 2))
    assert.is(names.length, 1)
    for (const kind of [0, 1, 2, 3]) {
      const info = versionInfo(kind, names)
      assert.is(info, (1n << BigInt(bit + 2)) | BigInt(kind))
      assert.is(headerKind(info), kind)
    }
  }
  assert.throws(() => versionInfo(1, ['no such feature']), RangeError)
})

features(
  'are written by people as a list; each counts once, and a wrong one is named with those that there are',
  () => {
    assert.equal(featureList(' lz4, embedded,lz4 ,,feature-18'), ['lz4', 'embedded', 'feature-18'])
    assert.equal(featureList(''), [])
    for (const wrong of ['LZ4', 'lz4,any', 'feature-100', 'feature-'])
      assert.throws(
        () => featureList(wrong),
        (error: unknown) =>
          error instanceof TidepoolError &&
          error.code === 'bad-features' &&
          /sa-spill/.test(error.hint ?? ''),
      )
    assert.is(receivableFrom('any'), null)
    assert.equal(receivableFrom('none'), [])
    assert.equal(receivableFrom('zstd'), ['zstd'])
  },
)

features.run()
