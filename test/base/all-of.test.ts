import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { allOf } from '../../pipeline/base/all-of.ts'

const test = suite('base: several at once')

test('gives what each gave, in their order', async () => {
  assert.equal(await allOf([Promise.resolve(1), Promise.resolve('two')]), [1, 'two'])
})

test('rejects with the first failure only when all have ended', async () => {
  let ended = false
  const slow = new Promise<void>((resolve) => {
    setTimeout(() => {
      ended = true
      resolve()
    }, 20)
  })
  try {
    await allOf([Promise.reject(new Error('first')), slow, Promise.reject(new Error('second'))])
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'first')
  }
  assert.ok(ended)
})

test.run()
