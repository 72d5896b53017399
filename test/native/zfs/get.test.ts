import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRows, type Row } from '../../../native/zfs/get.ts'
import { codeOf } from '../../../pipeline/base/errors.ts'

const test = suite('zfs get')

async function parsed(text: string, asked: readonly string[]): Promise<Row[]> {
  const rows: Row[] = []
  for await (const row of parseRows(text.split('\n').slice(0, -1), asked)) rows.push(row)
  return rows
}

const plain = (rows: readonly Row[]) =>
  rows.map(({ name, properties }) => [
    name,
    ...[...properties].map(([key, { value, source }]) => [key, value, source]),
  ])

test('lines become rows', async () => {
  const text = 'p/a\tguid\t-\t12\np/a\tused\t-\t0\np/a@1\tguid\t-\t13\np/a@1\tused\t-\t5\n'
  assert.equal(plain(await parsed(text, ['guid', 'used'])), [
    ['p/a', ['guid', '12', '-'], ['used', '0', '-']],
    ['p/a@1', ['guid', '13', '-'], ['used', '5', '-']],
  ])
})

test('nothing is no rows', async () => {
  assert.equal(await parsed('', ['guid']), [])
})

test('values keep their tabs, their newlines and what looks like other lines', async () => {
  const nasty = 'a\tb\n\np/a\tused\t-\t99\n  \nend'
  const text = `p/a\tt:x\tlocal\t${nasty}\np/a\tguid\t-\t12\np/b c\tt:x\tinherited from p\ty\np/b c\tguid\t-\t13\n`
  assert.equal(plain(await parsed(text, ['t:x', 'guid'])), [
    ['p/a', ['t:x', nasty, 'local'], ['guid', '12', '-']],
    ['p/b c', ['t:x', 'y', 'inherited from p'], ['guid', '13', '-']],
  ])
})

test('a list that breaks off is refused', async () => {
  for (const text of ['p/a\tguid\t-\t12\n', 'garbage\n', 'cannot open\n'])
    try {
      await parsed(text, ['guid', 'used'])
      assert.unreachable(text)
    } catch (error) {
      assert.is(codeOf(error), 'zfs-output')
    }
})

test.run()
