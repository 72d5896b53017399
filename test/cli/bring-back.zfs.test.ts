/** What comes back on a real ZFS is what it was, for whoever is not root too. */
import { execFile } from 'node:child_process'
import { chmod, chown, lstat, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bringBack } from '../../daemon/cli/bring-back.ts'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { restorePoint } from '../../daemon/projects/restore-point.ts'
import { snapshotProject } from '../../daemon/projects/snapshot.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { projectHost } from '../support/project-host.ts'
import { withPool } from '../support/zfs-pool.ts'

const test = suite('bringing back on a real ZFS')
const run = promisify(execFile)
const OWNER = { uid: 4321, gid: 4321 }
const P = projectId('p1')

test('modes, times, attributes and links are those of the point, also of what its owner may not write to', () =>
  withPool(async (pool) => {
    await chmod(pool.directory, 0o711)
    await mkdir(pool.mounts, { recursive: true })
    await chmod(pool.mounts, 0o711)
    const host = await projectHost(pool, memoryStore())
    const { path } = await createProjectHere(host, P)
    await chown(path, OWNER.uid, OWNER.gid)
    const script = `cd "$1" && umask 022 && echo plain >plain && echo run >run && chmod 755 run && echo secret >secret && chmod 600 secret &&
      setfattr -n user.kept -v here run && touch -d 2020-02-02T02:02:02Z plain && mkdir -p shut/in && echo deep >shut/in/deep &&
      chmod 640 shut/in/deep && ln shut/in/deep shut/in/again && ln -s nowhere link && chmod 500 shut`
    await run('sh', ['-c', script, 'sh', path], OWNER)
    const point = await snapshotProject(host, P)
    const old = await restorePoint(host, P, { guid: point })
    const told = async (of: string, name: string) => {
      const { mode, uid, mtimeMs, nlink } = await lstat(join(of, name))
      return [name, (mode & 0o7777).toString(8), uid, mtimeMs, nlink]
    }
    const below = ['plain', 'run', 'secret', 'link', 'shut', 'shut/in', 'shut/in/deep', 'shut/in/again']
    const all = (of: string) => Promise.all(below.map((name) => told(of, name)))
    const before = await all(path)
    assert.equal(await all(old.path), before)
    for (const name of ['plain', 'run', 'secret', 'link', 'shut']) {
      await rm(join(path, name), { recursive: true })
      assert.is(await bringBack({ from: old.path, into: path, path: name }), join(path, name))
    }
    assert.equal(await all(path), before)
    assert.is(await readFile(join(path, 'shut/in/again'), 'utf8'), 'deep\n')
    const { stdout } = await run('getfattr', ['-n', 'user.kept', '--only-values', join(path, 'run')])
    assert.is(stdout, 'here')
    const { stdout: left } = await run('ls', ['-A', path])
    assert.equal(left.trim().split('\n'), ['link', 'plain', 'run', 'secret', 'shut'])
  }))

test.run()
