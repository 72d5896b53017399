import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { textOfName } from '../../pipeline/base/text.ts'

const test = suite('names as text')

const names: readonly (readonly [number[] | string, string])[] = [
  ['plain', 'plain'],
  ['Grüße 日本', 'Grüße 日本'],
  ['a\nb', 'a\\x0ab'],
  ['a\\b', 'a\\x5cb'],
  [[0x61, 0xff], 'a\\xff'],
  ['\u001b[31m', '\\x1b[31m'],
  ['\u009b31m', '\\xc2\\x9b31m'],
]

for (const [name, text] of names)
  test(`${JSON.stringify(name)} is shown as ${text}`, () =>
    assert.is(textOfName(typeof name === 'string' ? Buffer.from(name) : Buffer.from(name)), text))

test.run()
