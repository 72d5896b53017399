/** `docs/rules.md` is read by people who trust it: it names every rule, and every file that it names is there. */
import { existsSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RULE_NAMES } from '../../pipeline/graph/rules.ts'
import { CATCHES } from './catches.ts'

const test = suite('docs/rules.md')

const page = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8')

test('every rule stands in the text and in the table, and nothing else does', () => {
  const inText = [...page.matchAll(/\[([a-z]+[A-Z]\w*|unsealed|descends|fence|needed|replan)\]/g)].map(
    ([, name]) => name,
  )
  const inTable = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  assert.equal([...new Set(inText)].sort(), [...RULE_NAMES].sort())
  assert.equal(inTable, [...RULE_NAMES])
})

test('where another rule covers for one, the table says which', () => {
  for (const [rule, { with: other }] of Object.entries(CATCHES)) {
    const line = page.split('\n').find((each) => each.startsWith(`| \`${rule}\` |`)) ?? ''
    if (other && !line.includes('as `')) assert.match(line, `with \`${other.rule}\` off too`)
    if (!other) assert.not.match(line, 'off too')
  }
})

test('every file that it names is there', () => {
  const files = [...page.matchAll(/`((?:pipeline|test)\/[\w./-]+\.ts)`/g)].map(([, file]) => file ?? '')
  assert.ok(files.length > 20)
  for (const file of files) assert.ok(existsSync(new URL(`../../${file}`, import.meta.url)), file)
})

test.run()
