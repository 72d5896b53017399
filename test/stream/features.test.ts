import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { featureNames, headerKind, versionInfo } from '../../pipeline/stream/features.ts'

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

features.run()
