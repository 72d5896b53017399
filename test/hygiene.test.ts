import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ringOf, rings, selections } from './rings.ts'
import { testFiles } from './support/runner/files.ts'

const test = suite('hygiene')
const top = fileURLToPath(new URL('..', import.meta.url))
const files = testFiles(join(top, 'test'))
const offenders = (wrong: (text: string) => boolean) =>
  files.filter((file) => wrong(readFileSync(file, 'utf8'))).map((file) => relative(top, file))

test('every test file calls .run(), or a contract suite that does, so that it also runs by itself', () => {
  assert.equal(
    offenders((text) => !text.includes('.run()') && !/from '[./]*contracts\//.test(text)),
    [],
  )
})

test('no test is marked .only, and none uses the hooks that uvu fails to report', () => {
  assert.equal(
    offenders((text) => /^\s*\w+\.only\(/m.test(text)),
    [],
  )
  assert.equal(
    offenders((text) => /^\s*test\.(before|after)(\.each)?\(/m.test(text)),
    [],
  )
})

test('every test file belongs to a ring, and every ring to a selection that exists', () => {
  assert.equal(
    files.filter((file) => !ringOf(file)),
    [],
  )
  const names = rings.map((ring) => ring.name)
  assert.is(new Set(names).size, names.length)
  for (const selection of Object.values(selections)) {
    assert.equal(
      selection.rings.filter((name) => !names.includes(name)),
      [],
    )
  }
})

test('the longest end of its name decides a file’s ring', () => {
  assert.is(ringOf('test/a.test.ts')?.name, 'unit')
  assert.is(ringOf('test/a.long.test.ts')?.name, 'long')
  assert.is(ringOf('test/a.cassandra.test.ts')?.name, 'cassandra')
  assert.is(ringOf('test/a.cassandra.long.test.ts')?.name, 'cassandra-long')
  assert.is(ringOf('test/a.ts'), undefined)
})

test('fixtures are small: 256 KiB each, 4 MiB together', () => {
  const all = readdirSync(join(top, 'test/fixtures'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return { path: relative(top, path), sizeBytes: statSync(path).size }
    })
  assert.equal(
    all.filter(({ sizeBytes }) => sizeBytes > 256 * 1024),
    [],
  )
  const sum = all.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0)
  assert.ok(sum < 4 * 1024 * 1024, `${sum} bytes`)
})

test('the lock file names the packages of every platform, or npm ci refuses it where they are looked for', () => {
  const lock = JSON.parse(readFileSync(join(top, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>
  }
  const names = Object.keys(lock.packages)
  const missing = Object.values(lock.packages)
    .flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}))
    .filter((name) => !names.some((path) => path.endsWith(`node_modules/${name}`)))
  assert.equal(missing, [])
})

test('shell scripts parse', () => {
  for (const script of ['test/setup.sh', 'test/support/cassandra.sh'])
    execFileSync('sh', ['-n', join(top, script)])
})

test.run()
