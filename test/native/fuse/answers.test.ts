import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { guarded, type RootHandlers } from '../../../native/fuse/answers.ts'
import { ErrnoError, errnoNumber } from '../../../native/fuse/errno.ts'

const test = suite('fuse: answers')

const attributes = { mode: 0o120777, size: 1, nlink: 1, uid: 0, gid: 0, atime: 0, mtime: 0, ctime: 0 }
const whole: RootHandlers = {
  getattr: async () => attributes,
  readdir: async () => ['a', 'b'],
  readlink: async (path) => `/real${path}`,
}

interface Asked {
  readonly answers: unknown[][]
  readonly failed: string[]
}

/** Asks once, and gathers every answer that comes within a moment. */
async function ask(
  operation: 'getattr' | 'readdir' | 'readlink' | 'statfs',
  handlers: Partial<RootHandlers> = {},
  { limitMs = 1000, forMs = 20 } = {},
): Promise<Asked> {
  const answers: unknown[][] = []
  const failed: string[] = []
  const limits = { quickMs: limitMs, readlinkMs: limitMs }
  const operations = guarded({ ...whole, ...handlers }, limits, (what, error) =>
    failed.push(`${what}: ${(error as Error).message}`),
  )
  operations[operation]('/p1', (...answer: unknown[]) => void answers.push(answer))
  await sleep(forMs)
  return { answers, failed }
}

test('what a handler resolves with is the answer, a number first', async () => {
  assert.equal((await ask('readlink')).answers, [[0, '/real/p1']])
  assert.equal((await ask('getattr')).answers, [[0, attributes]])
  assert.equal((await ask('readdir')).answers, [[0, ['a', 'b']]])
  const [[errno, facts] = []] = (await ask('statfs')).answers
  assert.is(errno, 0)
  assert.is((facts as { namemax: number }).namemax, 63)
})

test('an errno is told as it is, and nothing is reported', async () => {
  const busy = async (): Promise<never> => {
    throw new ErrnoError('EBUSY')
  }
  assert.equal(await ask('readlink', { readlink: busy }), { answers: [[-16]], failed: [] })
  assert.is(errnoNumber('EDQUOT'), -122)
  assert.is(errnoNumber('ETIMEDOUT'), -110)
})

test('any other rejection, and a handler that throws at once, is EIO and is reported', async () => {
  const rejects = async (): Promise<never> => {
    throw new Error('late')
  }
  const throws = (): never => {
    throw new Error('at once')
  }
  assert.equal(await ask('getattr', { getattr: rejects }), { answers: [[-5]], failed: ['getattr: late'] })
  assert.equal(await ask('readdir', { readdir: throws }), { answers: [[-5]], failed: ['readdir: at once'] })
})

test('at the deadline it is ETIMEDOUT, and what comes later is told to nobody', async () => {
  const late = async (): Promise<string> => {
    await sleep(40)
    return '/late'
  }
  const { answers } = await ask('readlink', { readlink: late }, { limitMs: 15, forMs: 80 })
  assert.equal(answers, [[-110]])
})

test('each operation has its own limit', async () => {
  const answers: unknown[][] = []
  const slow = async (): Promise<never> => new Promise(() => {})
  const operations = guarded(
    { ...whole, getattr: slow, readlink: slow },
    { quickMs: 10, readlinkMs: 60 },
    () => {},
  )
  operations.readlink('/p1', (...answer) => void answers.push(['readlink', ...answer]))
  operations.getattr('/p1', (...answer) => void answers.push(['getattr', ...answer]))
  await sleep(40)
  assert.equal(answers, [['getattr', -110]])
  await sleep(40)
  assert.is(answers.length, 2)
})

test.run()
