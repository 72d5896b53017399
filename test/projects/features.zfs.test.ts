/** Real streams of this machine's ZFS, with all that they use: told by the store's list, saved, and the same when they are back. */
import { createHash } from 'node:crypto'
import {
  appendFile,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProjectHere } from '../../daemon/projects/create.ts'
import { evict } from '../../daemon/projects/evict.ts'
import { open } from '../../daemon/projects/open.ts'
import { save } from '../../daemon/projects/save.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { rejects } from '../contracts/zfs-world.ts'
import { projectHost } from '../support/project-host.ts'
import { bytes, runSeed, seeded } from '../support/random.ts'
import { withPool } from '../support/zfs-pool.ts'

const test = suite('projects: features of real streams')
const P = projectId('p1')
const random = seeded(runSeed('features of real streams'))

/** Every name with what a user sees of it. */
async function tree(root: string): Promise<string[]> {
  const names = (await readdir(root, { recursive: true })).sort()
  return Promise.all(
    names.map(async (name) => {
      const path = join(root, name)
      const { mode, uid, gid, nlink, size, mtimeMs } = await lstat(path)
      const kind = mode & 0o170000
      const content =
        kind === 0o100000
          ? createHash('sha256')
              .update(await readFile(path))
              .digest('hex')
          : kind === 0o120000
            ? await readlink(path)
            : ''
      const facts = [mode.toString(8), uid, gid, kind === 0o40000 ? '' : [nlink, size, mtimeMs].join(' ')]
      return [name, ...facts, content].join(' ')
    }),
  )
}

/** A store whose hosts are said to receive these features alone. */
function storeOf(receivable: readonly string[]) {
  const plain = memoryStore()
  const info = async () => ({ ...(await plain.catalogue.info()), receivable })
  return { ...plain, catalogue: { ...plain.catalogue, info } }
}

test('a full stream and a step use what the host has foretold, and what comes back of them is the same', () =>
  withPool(async (world) => {
    const { flavour, send } = world.zfs.capabilities
    const told = flavour === 'openzfs' ? ['sa-spill', 'lz4', 'compressed', 'embedded'] : []
    const store = storeOf(told)
    const host = await projectHost(world, store)
    const { path } = await createProjectHere(host, P)
    await mkdir(join(path, 'deep', 'er'), { recursive: true })
    await writeFile(join(path, 'random'), bytes(random, 700_000))
    await writeFile(join(path, 'text'), 'compresses well, '.repeat(40_000))
    await writeFile(join(path, 'tiny'), 'x'.repeat(100), { mode: 0o640 })
    await truncate(join(path, 'tiny'), 3_000_000)
    await symlink('../random', join(path, 'deep', 'link'))
    await link(join(path, 'random'), join(path, 'deep', 'er', 'same'))
    const full = await save(host, P)
    await appendFile(join(path, 'random'), bytes(random, 10_000))
    await rename(join(path, 'text'), join(path, 'deep', 'text'))
    await rm(join(path, 'deep', 'link'))
    const step = await save(host, P)
    assert.equal([full.kind, step.kind], ['saved', 'saved'])
    assert.ok(step.kind === 'saved' && full.kind === 'saved' && step.base === full.point)
    const before = await tree(path)

    const rows = [...((await store.catalogue.read(P))?.rows.values() ?? [])]
    assert.is(rows.length, 2)
    for (const { manifest } of rows) {
      const used = manifest?.stream.features ?? []
      assert.equal([...used].sort(), send.embedded ? [...told].sort() : [])
    }
    await evict(host, P)
    assert.equal(await tree((await open(host, P)).path), before)
  }))

test('where not every host can receive what is in all of its streams, none is sent', () =>
  withPool(async (world) => {
    const host = await projectHost(world, storeOf(['lz4']))
    const { path } = await createProjectHere(host, P)
    await writeFile(join(path, 'file'), 'x')
    if (world.zfs.capabilities.flavour === 'zfs-fuse') assert.is((await save(host, P)).kind, 'saved')
    else await rejects(save(host, P), 'features-not-receivable')
  }))

test.run()
