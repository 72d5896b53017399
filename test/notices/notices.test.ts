import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Notices } from '../../daemon/notices/notices.ts'
import type { DivergedProject } from '../../daemon/projects/diverged.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { guid, type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/fuse.ts'
import { ManualClock } from '../support/manual-clock.ts'

const test = suite('notices')
const P = projectId('p1')

interface World {
  readonly directory: string
  readonly notices: Notices
  readonly clock: ManualClock
  failing: { readonly id: ProjectId; readonly error: unknown }[]
  diverged: Omit<DivergedProject, 'error'>[]
  readOnly: { readonly id: ProjectId }[]
}

async function withNotices(body: (world: World) => Promise<void>, isListed = true): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    const clock = new ManualClock()
    await mkdir(join(path, 'p1'), { mode: 0o700 })
    const world: World = {
      directory: join(path, '.notices'),
      clock,
      failing: [],
      diverged: [],
      readOnly: [],
      notices: new Notices({
        directory: join(path, '.notices'),
        clock,
        saves: {
          get failing() {
            return world.failing
          },
          state: () => undefined,
        },
        diverged: () => world.diverged,
        readOnly: () => world.readOnly,
        mountPointOf: (id) => join(path, id),
        isListed,
      }),
    }
    await body(world)
  } finally {
    await remove()
  }
}

test('that another host has it is told, until it is not open here any more', () =>
  withNotices(async (world) => {
    const { notices, directory } = world
    await mkdir(directory)
    const takenBy = { host: 'b-id', name: 'b' }
    world.diverged = [{ id: P, sinceMs: 0, takenBy, point: guid(17n) }]
    await notices.look()
    const text = await readFile(join(directory, 'p1'), 'utf8')
    assert.match(text, 'project p1 was taken by host b (b-id); what was written here since is side point 17')
    assert.match(text, 'tidepool history p1')
    world.diverged = []
    await notices.look()
    assert.equal(await readdir(directory), [])
  }))

const refused = new TidepoolError('snapshots-over-quota', 'its snapshots take too much', {
  hint: 'Raise the quota.',
})

test('that nobody can write to it is told first, and what else it suffers from with it', () =>
  withNotices(async (world) => {
    const { notices, directory } = world
    await mkdir(directory)
    world.readOnly = [{ id: P }]
    await notices.look()
    assert.match(await readFile(join(directory, 'p1'), 'utf8'), /^[^\n]*project p1 is read-only here/)
    world.failing = [{ id: P, error: refused }]
    await notices.look()
    const both = await readFile(join(directory, 'p1'), 'utf8')
    assert.match(both, /is read-only here.*could not be saved: its snapshots take too much/s)
    world.readOnly = []
    await notices.look()
    assert.not.match(await readFile(join(directory, 'p1'), 'utf8'), 'read-only')
    world.failing = []
    await notices.look()
    assert.equal(await readdir(directory), [])
  }))

test('a refused save is a file for its owner alone, and goes when the project is well', () =>
  withNotices(async (world) => {
    const { notices, directory } = world
    await mkdir(directory)
    world.failing = [{ id: P, error: refused }]
    await notices.look()
    const text = await readFile(join(directory, 'p1'), 'utf8')
    assert.match(text, /project p1 could not be saved: its snapshots take too much\nRaise the quota\.\n/)
    assert.is((await stat(join(directory, 'p1'))).mode & 0o777, 0o400)
    await notices.look()
    assert.equal(await readdir(directory), ['p1'])
    world.failing = []
    await notices.look()
    assert.equal(await readdir(directory), [])
  }))

test('what an earlier daemon said is gone, and one that cannot be told keeps no other from it', () =>
  withNotices(async (world) => {
    const { notices, directory, clock } = world
    await mkdir(directory, { mode: 0o700 })
    await writeFile(join(directory, 'p9'), 'of another life')
    const stop = new AbortController()
    world.failing = [
      { id: projectId('not-mounted'), error: refused },
      { id: P, error: refused },
    ]
    const running = notices.run(stop.signal)
    await eventually('the notice is there', 30_000, async () => {
      await clock.advance(2000)
      return (await readdir(directory)).includes('p1')
    })
    assert.equal(await readdir(directory), ['p1'])
    assert.is((await stat(directory)).mode & 0o777, 0o755)
    stop.abort()
    await running
  }))

test('where nobody is to see which projects there are, the directory cannot be listed by others', () =>
  withNotices(async ({ notices, directory }) => {
    const stop = new AbortController()
    const running = notices.run(stop.signal)
    const mode = (): Promise<number> =>
      stat(directory).then(
        (found) => found.mode & 0o777,
        () => 0,
      )
    await eventually('the directory is there', 30_000, async () => (await mode()) === 0o711)
    stop.abort()
    await running
  }, false))

test.run()
