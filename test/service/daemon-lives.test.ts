import { createServer } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { daemonLives } from '../../daemon/service/daemon-lives.ts'
import { daemonStatus } from '../../daemon/service/daemon-status.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { withDaemon } from '../support/daemon.ts'
import { temporaryDirectory } from '../support/directory.ts'

const test = suite('service: daemon')
const { signal } = new AbortController()

async function whyNot(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'it lives',
    (error: { code?: string }) => error.code ?? String(error),
  )
}

test('a daemon that answers lives; one whose saves nobody begins does not', () =>
  withDaemon(async ({ socket, daemon }) => {
    const { saves } = daemon.engine
    await daemonLives({ socket, saves }, signal)
    assert.is(await whyNot(daemonLives({ socket, saves: { overdueMs: 4 * 60_000 } }, signal)), 'it lives')
    assert.is(await whyNot(daemonLives({ socket, saves: { overdueMs: 6 * 60_000 } }, signal)), 'daemon-hangs')
  }))

test('one that takes connections and answers nothing does not live', async () => {
  const { path, remove } = await temporaryDirectory()
  const socket = join(path, 'deaf.sock')
  const deaf = createServer(() => {})
  await new Promise<void>((resolve) => deaf.listen(socket, resolve))
  try {
    assert.is(await whyNot(daemonLives({ socket, saves: { overdueMs: 0 } }, signal, 200)), 'daemon-late')
  } finally {
    deaf.close()
    await remove()
  }
})

test('its status names what is open, what is not saved and whether the host may act', () => {
  const failing = ['a', 'b', 'c', 'd'].map((id) => ({ id: projectId(id), error: new Error('full') }))
  const live = { state: { kind: 'live' } } as const
  const saves = { size: 0, failing: [], longestUnsavedMs: 0 }
  assert.is(daemonStatus({ saves, membership: live }), '0 projects open')
  assert.is(
    daemonStatus({ saves: { ...saves, size: 1, longestUnsavedMs: 31_000 }, membership: live }),
    '1 project open; all older than 40 s is saved',
  )
  assert.is(
    daemonStatus({
      saves: { size: 9, failing, longestUnsavedMs: 3_500_000 },
      membership: { state: { kind: 'lost', error: new Error('the store is away') } },
    }),
    '9 projects open; NOT SAVED: a, b, c and 1 more; all older than 59 min is saved; saves and opens nothing: the store is away',
  )
})

test.run()
