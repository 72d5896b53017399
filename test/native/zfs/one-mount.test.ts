import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { oneMountAtATime } from '../../../native/zfs/one-mount.ts'
import type { Zfs } from '../../../native/zfs/zfs.ts'
import { rejection } from '../../contracts/values.ts'
import { withFakeZfs } from '../../support/fake-zfs.ts'

const test = suite('mounts at a time')

/** The most that were under way at once; one of them fails. */
async function mostAtOnce(zfs: Zfs): Promise<number> {
  let running = 0
  let most = 0
  const mount = (fails: boolean) => async (): Promise<void> => {
    most = Math.max(most, ++running)
    await sleep(20)
    running--
    if (fails) throw new Error('refused')
  }
  const mounts = [false, true, false, false].map((fails) => oneMountAtATime(zfs, {}, mount(fails)))
  const ended = await Promise.allSettled(mounts)
  assert.equal(
    ended.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  )
  return most
}

test('zfs-fuse gets one at a time, also after one that failed', () =>
  withFakeZfs(async ({ zfs }) => assert.is(await mostAtOnce(zfs), 1), { flavour: 'zfs-fuse' }))

test('OpenZFS gets as many as there are', () =>
  withFakeZfs(async ({ zfs }) => assert.is(await mostAtOnce(zfs), 4)))

test('who waits for his turn and is told to stop holds nobody up', () =>
  withFakeZfs(
    async ({ zfs }) => {
      const stop = new AbortController()
      const first = oneMountAtATime(zfs, {}, () => sleep(100))
      const second = rejection(
        oneMountAtATime(zfs, { signal: stop.signal }, async () => assert.unreachable()),
      )
      stop.abort(new Error('enough'))
      assert.is(((await second) as Error).message, 'enough')
      await first
      await oneMountAtATime(zfs, {}, async () => {})
    },
    { flavour: 'zfs-fuse' },
  ))

test.run()
