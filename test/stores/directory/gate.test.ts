import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf, OutcomeUnknownError, TidepoolError } from '../../../pipeline/base/errors.ts'
import { projectId } from '../../../pipeline/base/ids.ts'
import { touchProject } from '../../../pipeline/graph/transitions/owner.ts'
import { openDirectoryStore } from '../../../pipeline/stores/directory/index.ts'
import { child, inStore, revOf, stopped, touch } from '../../support/directory-processes.ts'

const test = suite('gate of the catalogue')
const project = projectId('shared')

for (const [end, signal] of [
  ['goes on', 'SIGCONT'],
  ['is killed', 'SIGKILL'],
] as const)
  test(`a stopped writer is named, reads go on, and so do writes once it ${end}`, () =>
    inStore(async (store, root) => {
      const holder = child('hold', root)
      assert.is(await holder.line(), 'held')
      const now = await store.catalogue.read(project)
      assert.ok(now)
      await stopped(holder)
      const hasty = await openDirectoryStore(root, { writeLimitMs: 100 })
      const refused = await touch(hasty).catch((error: unknown) => error)
      await hasty.close()
      assert.ok(refused instanceof TidepoolError, String(refused))
      assert.is(refused.code, 'store-locked')
      assert.is(refused.temporary, false)
      assert.match(refused.message, `process ${holder.process.pid} `)
      assert.match(refused.message, 'stopped')
      assert.match(refused.hint ?? '', `kill -CONT ${holder.process.pid}`)
      assert.is(await revOf(store), now.statics.rev, 'nothing happened')
      const reason = new Error('left')
      const left = store.catalogue.apply(touchProject(now), { signal: AbortSignal.abort(reason) })
      assert.is(await left.catch((error: unknown) => error), reason)
      holder.process.kill(signal)
      await holder.ended
      assert.ok(await touch(store))
      assert.is(await revOf(store), now.statics.rev + 1n)
    }))

test('a store that is closed ends the wait of its calls', () =>
  inStore(async (store, root) => {
    const holder = child('hold', root)
    assert.is(await holder.line(), 'held')
    const other = await openDirectoryStore(root)
    const waiting = touch(other).catch(codeOf)
    await revOf(other)
    await other.close()
    assert.is(await waiting, 'store-closed')
    holder.process.kill('SIGKILL')
    await holder.ended
    assert.ok(await touch(store))
  }))

test('where LMDB itself is blocked the outcome is unknown, reads go on, and it happens later', () =>
  inStore(async (store, root) => {
    const now = await store.catalogue.read(project)
    assert.ok(now)
    const holder = child('block', root)
    assert.is(await holder.line(), 'held')
    await stopped(holder)
    const hasty = await openDirectoryStore(root, { answerLimitMs: 100 })
    const unknown = await touch(hasty).catch((error: unknown) => error)
    assert.instance(unknown, OutcomeUnknownError)
    assert.is(await revOf(store), now.statics.rev)
    const reason = new Error('left')
    const left = new AbortController()
    const waiting = store.catalogue.apply(touchProject(now), { signal: left.signal })
    left.abort(reason)
    assert.is(await waiting.catch((error: unknown) => error), reason)
    holder.process.kill('SIGKILL')
    await holder.ended
    await store.catalogue.writeNote('behind it', 'done')
    assert.is(await revOf(store), now.statics.rev + 1n, 'what nobody could tell of has happened')
    await hasty.close()
  }))

test.run()
