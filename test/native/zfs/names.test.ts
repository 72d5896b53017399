import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  bookmarkName,
  datasetName,
  datasetOf,
  lastPart,
  poolName,
  poolOf,
  projectDataset,
  snapshotName,
  snapshotOf,
  tagOf,
  userProperty,
} from '../../../native/zfs/names.ts'
import { codeOf } from '../../../pipeline/base/errors.ts'
import { projectId } from '../../../pipeline/base/ids.ts'

const test = suite('zfs names')

const x = (length: number) => 'x'.repeat(length)

/** `[text, is it a dataset, a snapshot, a bookmark]` */
const table: readonly [string, boolean, boolean, boolean][] = [
  ['pool', true, false, false],
  ['pool/a', true, false, false],
  ['pool/a/b-c_d.e:f', true, false, false],
  ['pool/a b', true, false, false],
  ['pool/-a', true, false, false],
  ['pool/a..b', true, false, false],
  ['pool/0', true, false, false],
  ['pool/a@b', false, true, false],
  ['pool@b', false, true, false],
  ['pool/a@-b', false, true, false],
  ['pool/a@a b', false, true, false],
  ['pool/a@2026-11-22T10:00:00', false, true, false],
  ['pool/a#b', false, false, true],
  ['pool/a#b#c', false, false, false],
  ['pool/a@b#c', false, false, false],
  ['pool/a@b@c', false, false, false],
  ['pool/a@b/c', false, false, false],
  ['pool/a@', false, false, false],
  ['@b', false, false, false],
  ['pool/a@..', false, false, false],
  ['', false, false, false],
  ['/', false, false, false],
  ['/pool/a', false, false, false],
  ['pool/a/', false, false, false],
  ['pool//a', false, false, false],
  ['pool/..', false, false, false],
  ['pool/.', false, false, false],
  ['pool/../a', false, false, false],
  ['pool/a%b', false, false, false],
  ['pool/a@b%c', false, false, false],
  ['pool/naïve', false, false, false],
  ['pool/a\nb', false, false, false],
  ['pool/a\tb', false, false, false],
  ['pool/a\0b', false, false, false],
  ['pool/a*', false, false, false],
  ['-pool', false, false, false],
  ['0pool/a', false, false, false],
  [`pool/${x(250)}`, true, false, false],
  [`pool/${x(251)}`, false, false, false],
  [`pool/a@${x(248)}`, false, true, false],
  [`pool/a@${x(249)}`, false, false, false],
]

for (const [kind, make, column] of [
  ['dataset', datasetName, 1],
  ['snapshot', snapshotName, 2],
  ['bookmark', bookmarkName, 3],
] as const)
  test(`a ${kind} is told from what is none`, () => {
    for (const row of table) {
      let code: string | undefined
      try {
        assert.is(make(row[0]), row[0])
      } catch (error) {
        code = codeOf(error)
      }
      assert.is(code, row[column] ? undefined : 'bad-name', JSON.stringify(row[0].slice(0, 40)))
    }
  })

test('a pool is not called like a device or a word of zpool', () => {
  for (const good of ['pool', 'p', 'tank-1', 'cat', 'logs', 'c']) assert.is(poolName(good), good)
  for (const bad of [
    '',
    'a/b',
    'a b',
    '9x',
    'mirror',
    'mirror1',
    'raidz2',
    'draid',
    'spares',
    'log',
    'c0t0',
    '..',
    'a@b',
    x(300),
  ])
    assert.throws(
      () => poolName(bad),
      (error: unknown) => codeOf(error) === 'bad-name',
      bad,
    )
})

test('a project id is one part of a name', () => {
  const parent = datasetName('tank/projects')
  const dataset = projectDataset(parent, projectId('a-1'))
  assert.is(dataset, 'tank/projects/a-1')
  const snapshot = snapshotOf(dataset, '-first one')
  assert.is(datasetOf(snapshot), dataset)
  assert.is(tagOf(snapshot), '-first one')
  assert.is(poolOf(snapshot), 'tank')
  assert.is(lastPart(dataset), 'a-1')
})

test('a user property has a colon and is in lower case', () => {
  assert.is(userProperty('tidepool:id'), 'tidepool:id')
  for (const bad of ['quota', 'Tide:x', 'tide:x y', ':x', 'x:', `t:${x(260)}`, 'a:b=c', 'a:b,c'])
    assert.throws(
      () => userProperty(bad),
      (error: unknown) => codeOf(error) === 'bad-name',
      bad,
    )
})

test.run()
