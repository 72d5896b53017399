/** What somebody waits for who touches a project: each command of ZFS that waits for another is time. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { close } from '../../daemon/projects/close.ts'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { evict } from '../../daemon/projects/evict.ts'
import type { ProjectHost } from '../../daemon/projects/host.ts'
import { liveName } from '../../daemon/projects/names.ts'
import { open } from '../../daemon/projects/open.ts'
import { save } from '../../daemon/projects/save.ts'
import { mount, unmount } from '../../native/zfs/mount.ts'
import { errnoOf } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { type FakeZfs, withFakeZfs } from '../support/fake-zfs.ts'
import { projectHost } from '../support/project-host.ts'

const test = suite('projects: commands of an open')
const P = projectId('p1')

/** With one saved file, and open. */
async function saved(fake: FakeZfs): Promise<{ host: ProjectHost; path: string }> {
  const host = await projectHost(fake, memoryStore())
  const { path } = await createProjectHere(host, P)
  await writeFile(join(path, 'file'), 'saved')
  await save(host, P)
  return { host, path }
}

/** `zfs get`, `zfs set tidepool:epoch`, … */
const verbs = async (fake: FakeZfs): Promise<string[]> =>
  (await fake.calls()).map((line) => {
    const [, verb, first = ''] = line.split(' ')
    return verb === 'set' ? `set ${first.split('=', 1)[0]}` : String(verb)
  })

for (const flavour of ['openzfs', 'zfs-fuse'] as const) {
  test(`closed on ${flavour}: one look, its epoch and the mount`, () =>
    withFakeZfs(
      async (fake) => {
        const { host } = await saved(fake)
        await close(host, P)
        await fake.calls()
        const { path, receivedStreams } = await open(host, P)
        assert.equal((await verbs(fake)).sort(), ['get', 'mount', 'set tidepool:epoch'])
        assert.is(receivedStreams, 0)
        assert.is(await readFile(join(path, 'file'), 'utf8'), 'saved')
        assert.is((await save(host, P)).kind, 'unchanged')
      },
      { flavour },
    ))

  test(`only unmounted on ${flavour}: one look and the mount`, () =>
    withFakeZfs(
      async (fake) => {
        const { host } = await saved(fake)
        await unmount(fake.zfs, liveName(host.parent, P))
        await fake.calls()
        await open(host, P)
        assert.equal(await verbs(fake), ['get', 'mount'])
      },
      { flavour },
    ))

  test(`what a hand wrote into a closed one on ${flavour} is seen: nothing takes it for the head`, () =>
    withFakeZfs(
      async (fake) => {
        const { host } = await saved(fake)
        await close(host, P)
        const name = liveName(host.parent, P)
        await writeFile(join(await mount(fake.zfs, name), 'by-hand'), 'kept')
        await unmount(fake.zfs, name)
        const { path, setAside, project } = await open(host, P)
        assert.is(setAside.length, 1)
        assert.ok(Object.values(project.statics.kept).includes('side'))
        assert.is(errnoOf(await readFile(join(path, 'by-hand')).catch((error: unknown) => error)), 'ENOENT')
      },
      { flavour },
    ))
}

test('evicted, on OpenZFS: all that it is given comes with the receive', () =>
  withFakeZfs(async (fake) => {
    const { host } = await saved(fake)
    await evict(host, P)
    await fake.calls()
    const { path } = await open(host, P)
    // Two looks whether it is there, under its own name or another one; the one behind the receive is for its GUID.
    assert.equal((await verbs(fake)).sort(), ['get', 'get', 'get', 'mount', 'receive', 'rename'])
    assert.is(await readFile(join(path, 'file'), 'utf8'), 'saved')
  }))

test('a mount that comes while its epoch is refused is taken back', () =>
  withFakeZfs(async (fake) => {
    const { host } = await saved(fake)
    await close(host, P)
    await fake.faults({
      match: '^zfs set tidepool:epoch',
      action: 'fail',
      stderr: 'cannot set',
      exit: 1,
      times: 1,
    })
    await open(host, P).then(
      () => assert.unreachable('it was opened'),
      () => {},
    )
    await fake.calls()
    const { path } = await open(host, P)
    assert.equal((await verbs(fake)).sort(), ['get', 'mount', 'set tidepool:epoch'])
    assert.is(await readFile(join(path, 'file'), 'utf8'), 'saved')
  }))

test.run()
