import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseMountinfo } from '../../../native/mount/mountinfo.ts'
import { copiesElsewhere } from '../../../native/mount/namespaces.ts'
import { temporaryDirectory } from '../../support/directory.ts'

const test = suite('mount namespaces')

const line = (propagation: string) => `9 1 0:50 / /m/p rw${propagation} - zfs tank/p rw`

/** Processes by their number: the namespace of each, and how the mount stands in it. */
async function withProc(
  processes: Readonly<Record<string, readonly [string, string]>>,
  body: (proc: string) => Promise<void>,
): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    for (const [pid, [namespace, mounts]] of Object.entries(processes)) {
      await mkdir(join(path, pid, 'ns'), { recursive: true })
      await symlink(namespace, join(path, pid, 'ns/mnt'))
      await writeFile(join(path, pid, 'mountinfo'), mounts)
      await writeFile(join(path, pid, 'comm'), `program${pid}\n`)
    }
    await body(path)
  } finally {
    await remove()
  }
}

const [shared] = parseMountinfo(line(' shared:7'))
const [alone] = parseMountinfo(line(''))

test('a private copy elsewhere counts, a peer and a slave do not, for the kernel unmounts those too', () =>
  withProc(
    {
      self: ['mnt:[1]', ''],
      1: ['mnt:[1]', line(' shared:7')],
      20: ['mnt:[2]', line(' shared:7')],
      30: ['mnt:[3]', line(' master:7')],
      40: ['mnt:[4]', ''],
      41: ['mnt:[4]', line('')],
      42: ['mnt:[4]', line('')],
      50: ['mnt:[5]', line(' shared:8')],
      60: ['mnt:[6]', line('').replace('0:50', '0:51')],
    },
    async (proc) => {
      const found = await copiesElsewhere(shared as never, proc)
      assert.equal(
        found.map(({ pid, command, how, path }) => [pid, command, how, path]),
        [
          [41, 'program41', 'namespace', '/m/p'],
          [50, 'program50', 'namespace', '/m/p'],
        ],
      )
      assert.equal(
        (await copiesElsewhere(alone as never, proc)).map(({ pid }) => pid),
        [20, 30, 41, 50],
      )
    },
  ))

test.run()
