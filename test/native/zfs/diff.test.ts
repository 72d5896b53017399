import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type DiffEntry, parseDiffLine } from '../../../native/zfs/diff.ts'
import { codeOf } from '../../../pipeline/base/errors.ts'

const test = suite('zfs diff')

const shown = ({ change, kind, path, from }: DiffEntry): string =>
  [change, kind, ...(from ? [from.toString('latin1')] : []), path.toString('latin1')].join(' ')

/** Lines of OpenZFS 2.1.11 and 2.3.2, which print the same. */
const lines: readonly (readonly [string, string])[] = [
  ['M\tF\t/mnt/records.bin', 'modified file records.bin'],
  ['M\t/\t/mnt/dir', 'modified dir dir'],
  ['-\t@\t/mnt/link', 'removed symlink link'],
  ['M\tF\t/mnt/dir/hard2\t(-1)', 'modified file dir/hard2'],
  ['R\tF\t/mnt/to-rename\t/mnt/dir/renamed', 'renamed file to-rename dir/renamed'],
  ['+\tF\t/mnt/becomes-dir/in', 'added file becomes-dir/in'],
  ['M\t/\t/mnt/', 'modified dir '],
  ['+\tF\t/mnt/with\\0040blank', 'added file with blank'],
  ['+\tF\t/mnt/tab\\0011and\\0134', 'added file tab\tand\\'],
  ['+\tF\t/mnt/\\0303\\0274', `added file ${Buffer.from('ü').toString('latin1')}`],
  ['+\t|\t/mnt/pipe', 'added fifo pipe'],
]

for (const [line, expected] of lines)
  test(`${JSON.stringify(line)} is read`, () => assert.is(shown(parseDiffLine(line, '/mnt')), expected))

for (const line of ['', 'X\tF\t/mnt/a', 'M\tF\t/elsewhere/a'])
  test(`${JSON.stringify(line)} is refused`, () => {
    try {
      parseDiffLine(line, '/mnt')
    } catch (error) {
      return assert.is(codeOf(error), 'zfs-output')
    }
    assert.unreachable()
  })

test.run()
