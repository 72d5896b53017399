import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readCapabilities } from '../../../native/zfs/capabilities.ts'
import { recordings } from '../../support/zfs-recordings.ts'

const test = suite('zfs capabilities')

test('zfs-fuse can do the old things', () => {
  const found = readCapabilities({ ...recordings('zfs-fuse-0.7.0').usage, version: undefined })
  const { properties, ...rest } = found
  assert.ok(properties.has('guid') && properties.has('createtxg') && properties.has('userrefs'))
  assert.not.ok(
    properties.has('written') || properties.has('receive_resume_token') || properties.has('logicalused'),
  )
  assert.equal(rest, {
    flavour: 'zfs-fuse',
    version: undefined,
    written: false,
    diff: false,
    bookmarks: false,
    holdsList: false,
    json: false,
    getTypes: false,
    send: { compressed: false, largeBlocks: false, embedded: false, raw: false, estimate: false },
    receive: { resumable: false, properties: false },
    compression: { lz4: false, zstd: false },
    xattrSa: false,
    posixAcl: undefined,
    sync: false,
    dnodeSize: false,
    importUnmounted: false,
  })
})

for (const [version, said, json] of [
  ['zfs-2.1.11', '2.1.11-1+deb12u1', false],
  ['zfs-2.3.2', '2.3.2-2~bpo12+2', true],
] as const)
  test(`${version} can do all that is asked about`, () => {
    const { properties, ...rest } = readCapabilities(recordings(version).usage)
    for (const name of ['guid', 'createtxg', 'written', 'logicalused', 'receive_resume_token', 'acltype'])
      assert.ok(properties.has(name), name)
    assert.equal(rest, {
      flavour: 'openzfs',
      version: said,
      written: true,
      diff: true,
      bookmarks: true,
      holdsList: true,
      json,
      getTypes: true,
      send: { compressed: true, largeBlocks: true, embedded: true, raw: true, estimate: true },
      receive: { resumable: true, properties: true },
      compression: { lz4: true, zstd: true },
      xattrSa: true,
      posixAcl: 'posix',
      sync: true,
      dnodeSize: true,
      importUnmounted: true,
    })
  })

test.run()
