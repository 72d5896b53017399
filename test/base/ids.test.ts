import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { guid, hostId, newHostId, newWriteId, projectId, writeId } from '../../pipeline/base/ids.ts'

const ids = suite('ids')

function refused(make: () => unknown): boolean {
  try {
    make()
    return false
  } catch (error) {
    assert.is(codeOf(error), 'bad-id')
    return true
  }
}

ids('project ids', () => {
  const LONGEST = 'a'.repeat(63)
  for (const good of ['a', '0', 'a-b', 'a--', LONGEST, '0d5f6c1e-8d1b-4f43-9d2c-8a1e4a1c7f10'])
    assert.is(projectId(good), good)
  for (const bad of ['', '-a', 'A', 'ä', 'a_b', 'a/b', '..', 'a b', 'a\n', `${LONGEST}a`])
    assert.ok(
      refused(() => projectId(bad)),
      bad,
    )
})

ids('GUIDs are unsigned 64-bit numbers, as text, without zero', () => {
  assert.is(guid(2n ** 64n - 1n), '18446744073709551615')
  assert.is(guid('0018'), '18')
  for (const bad of ['0', '', '-1', '1e3', '0x10', ' 1', '18446744073709551616', '1'.repeat(21)])
    assert.ok(
      refused(() => guid(bad)),
      bad,
    )
  assert.ok(refused(() => guid(0n)))
})

ids('writes and hosts are UUIDs in lower case', () => {
  const fresh = newWriteId()
  assert.is(writeId(fresh), fresh)
  assert.is.not(newHostId(), newHostId())
  for (const bad of [fresh.toUpperCase(), fresh.slice(1), `${fresh}0`, '../x']) {
    assert.ok(refused(() => writeId(bad)))
    assert.ok(refused(() => hostId(bad)))
  }
})

ids.run()
