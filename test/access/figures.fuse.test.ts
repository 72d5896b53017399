import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Figures } from '../../daemon/access/figures.ts'
import { withAccess } from '../support/access.ts'
import { eventually, killed, walk } from '../support/fuse.ts'

const test = suite('figures of the access process')

test('what it has answered, with which errors, and who waits in it, it tells the daemon', () =>
  withAccess(async (world) => {
    const daemon = await world.daemon()
    const { child } = await world.serve()
    const last = (): Figures | null => {
      const told = [...daemon.printed().matchAll(/^figures (.*)$/gm)].at(-1)?.[1]
      return told === undefined ? null : (JSON.parse(told) as Figures | null)
    }
    await eventually('it has told', 10_000, async () => last() !== null)
    await walk(`cat ${world.root}/p1/file; cat ${world.root}/p1/file`)
    await walk(`cat ${world.root}/fails-project-unknown/file; cat ${world.root}/No-Id/file; ls ${world.root}`)
    // It tells every 5 s, and each of them waits for less than that.
    const wait = () => walk(`cat ${world.root}/never-ends/file`, { plain: true })
    const waiting = [wait()]
    const another = setInterval(() => waiting.push(wait()), 1500)
    await eventually('it tells who waits', 15_000, async () => Number(last()?.waiting) > 0).finally(() =>
      clearInterval(another),
    )
    const first = last()
    assert.ok(Number(first?.answers.readlink) >= 3, JSON.stringify(first))
    assert.ok(Number(first?.answers.readdir) >= 1)
    assert.ok(Number(first?.answers.getattr) >= 3)
    assert.ok(Number(first?.errors.ENOENT) >= 2)
    assert.is(first?.errors.EIO, 0)
    await Promise.all(waiting)
    await eventually('it tells that all were answered', 15_000, async () => last()?.waiting === 0)
    assert.is(last()?.errors.ETIMEDOUT, waiting.length)
    await killed(child)
    await eventually('that it has gone is seen', 10_000, async () => last() === null)
    await world.serve()
    await eventually('the next one tells', 10_000, async () => last() !== null)
    assert.is.not(last()?.process, first?.process)
    assert.is(last()?.errors.ETIMEDOUT, 0)
  }))

test.run()
