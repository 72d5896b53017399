/**
 * A project that is saved a thousand times: what is sent for a byte that was changed, and how long the path to its head is.
 * On the real ZFS of the machine, whose streams are what is counted, with the in-memory store.
 */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createProjectHere } from '../daemon/projects/create.ts'
import type { ProjectHost } from '../daemon/projects/host.ts'
import { save } from '../daemon/projects/save.ts'
import { unmount } from '../native/zfs/mount.ts'
import { projectDataset } from '../native/zfs/names.ts'
import { projectId } from '../pipeline/base/ids.ts'
import { KIB, MIB } from '../pipeline/base/units.ts'
import { pathToHead } from '../pipeline/graph/plan.ts'
import { memoryStore } from '../pipeline/stores/memory.ts'
import { projectHost } from '../test/support/project-host.ts'
import { bytes, int, type Random } from '../test/support/random.ts'
import { needs } from '../test/support/runner/needs.ts'
import { withPool } from '../test/support/zfs-pool.ts'
import { spread } from './pairs.ts'
import type { Row, Suite } from './report.ts'

const SAVES = 1_000
const PROJECT_BYTES = 64 * MIB
/** One record of the file, the least that a change can send; a minute's work in an editor is not more. */
const CHANGE_BYTES = 128 * KIB
/** Like the digits of a binary counter: a byte is sent again at most once for each doubling of the saves. */
const SENT_AT_MOST = Math.ceil(Math.log2(SAVES))
const PATH_AT_MOST = 2 * Math.ceil(Math.log2(SAVES))

export const manySaves: Suite = async ({ random }) => {
  const zfs = await needs.zfs(new AbortController().signal)
  if ('missing' in zfs) throw new Error(`no ZFS: ${zfs.missing}`)
  let rows: Row[] = []
  try {
    await withPool(
      async (world) => {
        rows = await savedOften(await projectHost(world, memoryStore()), random)
      },
      { fileBytes: 2n * 1024n * BigInt(MIB) },
    )
  } finally {
    await zfs.end()
  }
  return rows
}

async function savedOften(host: ProjectHost, random: Random): Promise<Row[]> {
  const id = projectId('often')
  const { path } = await createProjectHere(host, id)
  const file = await open(join(path, 'file'), 'w+')
  let sent = 0n
  const lengths: number[] = []
  const took: number[] = []
  try {
    for (let at = 0; at < PROJECT_BYTES; at += MIB) await file.write(bytes(random, MIB), 0, MIB, at)
    await file.sync()
    await save(host, id)
    for (let count = 0; count < SAVES; count++) {
      const at = int(random, 0, PROJECT_BYTES / CHANGE_BYTES - 1) * CHANGE_BYTES
      await file.write(bytes(random, CHANGE_BYTES), 0, CHANGE_BYTES, at)
      await file.sync()
      const startedMs = performance.now()
      const saved = await save(host, id)
      took.push(performance.now() - startedMs)
      if (saved.kind !== 'saved') throw new Error('nothing was saved')
      sent += saved.bytes
      lengths.push(pathToHead(saved.project)?.length ?? Number.POSITIVE_INFINITY)
    }
  } finally {
    await file.close()
  }
  await unmount(host.zfs, projectDataset(host.parent, id))
  const changed = SAVES * CHANGE_BYTES
  const mean = lengths.reduce((sum, length) => sum + length, 0) / SAVES
  const each = spread(took)
  return [
    {
      name: `sent for each byte changed, ${SAVES} saves`,
      value: Number(sent) / changed,
      unit: 'bytes',
      target: { atMost: SENT_AT_MOST },
      note: `${(Number(sent) / MIB).toFixed(0)} MiB for ${changed / MIB} MiB changed in a file of ${PROJECT_BYTES / MIB} MiB`,
    },
    {
      name: 'longest path to the head',
      value: Math.max(...lengths),
      unit: 'streams',
      target: { atMost: PATH_AT_MOST },
      note: `mean ${mean.toFixed(1)}`,
    },
    { name: 'one such save', value: each.median, unit: 'ms', spread: each },
  ]
}
