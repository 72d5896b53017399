import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lockPool } from '../../daemon/projects/pool-lock.ts'
import { codeOf } from '../../pipeline/base/errors.ts'

const test = suite('projects: pool lock')

let pools = 0
/** No other run of tests on this machine has it. */
const aPool = (): string => `${process.pid}000${++pools}`

async function codeOfLock(pool: string): Promise<string | undefined> {
  try {
    await (await lockPool(pool)).release()
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

test('one has it until it is released, and every pool has its own', async () => {
  const [pool, other] = [aPool(), aPool()]
  const lock = await lockPool(pool)
  assert.is(await codeOfLock(pool), 'pool-locked')
  assert.is(await codeOfLock(other), undefined)
  await lock.release()
  await lock.release()
  assert.is(await codeOfLock(pool), undefined)
})

test('it ends with the process that had it, also by SIGKILL', async () => {
  const pool = aPool()
  const script = `require('node:net').createServer().listen('\\0tidepool-pool-${pool}', () => console.log('locked'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  try {
    await once(child.stdout, 'data')
    assert.is(await codeOfLock(pool), 'pool-locked')
  } finally {
    child.kill('SIGKILL')
    await exited
  }
  assert.is(await codeOfLock(pool), undefined)
})

test.run()
