import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { rejection } from '../contracts/values.ts'
import { tidepool } from '../support/command.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('pins')
const never = new AbortController().signal

test('a pin of a point ends by an unpin, which takes no other mark away', () =>
  withDaemon(async ({ client, socket }) => {
    const { realPath } = await client.call<{ realPath: string }>('POST', '/v1/projects', {
      body: { id: 'p' },
    })
    const points: string[] = []
    for (const text of ['one', 'two'])
      points.push(
        await writeFile(join(realPath, 'file'), text).then(
          async () => (await client.call<{ point: string }>('POST', '/v1/projects/p/save')).point,
        ),
      )
    const [first, second] = points as [string, string]
    const keptAs = async (point: string) =>
      (
        await client.call<{ points: { point: string; keptAs: string | null }[] }>(
          'GET',
          '/v1/projects/p/history',
        )
      ).points.find((one) => one.point === point)?.keptAs
    const run = async (...words: string[]) => (await tidepool(['--socket', socket, ...words])).code
    assert.is(await run('pin', 'p', first), 0)
    assert.is(await keptAs(first), 'pinned')
    assert.equal([await run('unpin', 'p', first), await run('unpin', 'p', first)], [0, 0])
    assert.is.not(await keptAs(first), 'pinned')
    assert.is(await run('unpin', 'p', '12'), 1, 'a point that never was')
    await client.call('POST', '/v1/projects/p/rollback', { body: { point: first } })
    const mark = await keptAs(second)
    assert.ok(mark !== 'pinned' && mark !== null)
    assert.is(await run('unpin', 'p', second), 0)
    assert.is(await keptAs(second), mark)
  }))

test('a project that is pinned stays mounted in its pool, over restarts, until it is unpinned', () =>
  withDaemon(async ({ daemon, client, socket, again }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    assert.is((await tidepool(['--socket', socket, 'pin', 'p'])).code, 0)
    const unknown = client.call('PUT', '/v1/projects/nope/stays', { body: { stays: true } })
    assert.is(codeOf(await rejection(unknown, 'a pin of nothing')), 'project-unknown')
    await daemon.stop()
    const { engine, stop } = await again().then((next) => ({ engine: next.engine, stop: () => next.stop() }))
    try {
      engine.sweeper.reconfigure({
        highWatermark: 0.001,
        lowWatermark: 0.001,
        idleGraceMs: 0,
        evictIdleAfterMs: 0,
        unmountIdleAfterMs: 0,
      })
      const first = await engine.sweeper.sweep(never)
      assert.equal([first.evicted, first.unmounted], [[], []])
      assert.is(first.stay.get(projectId('p')), 'pinned')
      assert.is((await tidepool(['--socket', socket, 'unpin', 'p'])).code, 0)
      assert.equal(
        (await engine.sweeper.sweep(never)).evicted.map(({ id }) => id),
        ['p'],
      )
    } finally {
      await stop()
    }
  }))

test.run()
