import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Import, importsOf, packageOf } from './support/imports.ts'

const test = suite('layers')
const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const manifest = JSON.parse(read('package.json')) as Record<
  'dependencies' | 'optionalDependencies' | 'devDependencies',
  Record<string, string>
>
const shipped = { ...manifest.dependencies, ...manifest.optionalDependencies }
const none = (found: readonly Import[], rule: string) =>
  assert.equal(
    found.map(({ from, to }) => `${from} imports ${to}`),
    [],
    rule,
  )

/** Modules of Node that reach files, sockets or processes. */
const outside = /^node:(fs|fs\/promises|net|tls|http|https|http2|dgram|dns|child_process|cluster|inspector)$/

/** Files of the base that may: one writes a file whole or not at all, one asks /proc whether a process lives. */
const exceptions = ['pipeline/base/atomic-file.ts', 'pipeline/base/process.ts']

test('the reader of import lines sees static, dynamic, type and re-exporting ones', () => {
  const seen = importsOf('test').filter(({ from }) => from === 'test/support/runner/counted-uvu.ts')
  assert.equal(seen.map(({ to }) => to).sort(), ['uvu', 'uvu'])
  assert.ok(importsOf('test').some(({ to }) => to === 'test/support/runner/pool.ts'))
  assert.ok(importsOf('pipeline').length > 50)
})

test('pipeline/base imports nothing of ours', () => {
  const found = importsOf('pipeline/base').filter((line) => !packageOf(line) && !line.to.startsWith('node:'))
  none(
    found.filter(({ to }) => !to.startsWith('pipeline/base/')),
    'base is what everything else may rest on',
  )
})

test('pipeline imports neither native nor daemon', () => {
  none(
    importsOf('pipeline').filter(({ to }) => /^(native|daemon)\//.test(to)),
    'the streams know no operating system and no policy',
  )
})

test('native imports nothing of pipeline but its base, and nothing of daemon', () => {
  none(
    importsOf('native').filter(({ to }) => /^(daemon|pipeline(?!\/base))\//.test(to)),
    'the operating system knows no store and no policy',
  )
})

test('no source imports from the tests, the bench or the launcher', () => {
  none(
    importsOf('pipeline', 'native', 'daemon').filter(({ to }) => /^(test|bench|bin)\//.test(to)),
    'what is shipped stands alone',
  )
})

test('in the pipeline only stores, and two files of the base, reach for files and sockets', () => {
  none(
    importsOf('pipeline').filter(
      ({ from, to }) =>
        outside.test(to) && !from.startsWith('pipeline/stores/') && !exceptions.includes(from),
    ),
    'all else is streams and values',
  )
})

test('what is shipped imports only dependencies, never development ones', () => {
  none(
    importsOf('pipeline', 'native', 'daemon').filter((line) => {
      const name = packageOf(line)
      return name !== undefined && !(name in shipped)
    }),
    'an installed package has no others',
  )
})

test('every dependency has its reason in docs/dependencies.md, and nothing else is listed there', () => {
  const listed = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1])
  const declared = [...Object.keys(shipped), ...Object.keys(manifest.devDependencies)]
  assert.equal(listed.toSorted(), declared.toSorted())
})

test.run()
