/** Copies of a mount in other mount namespaces that no unmount here would reach: whoever lives there works on in it. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Holder, uidOf } from './holders.ts'
import { type Mount, parseMountinfo } from './mountinfo.ts'

/** One entry a namespace, for one of the processes that live in it. */
export async function copiesElsewhere(mount: Mount, proc = '/proc'): Promise<Holder[]> {
  const seen = new Set([await tolerant(readlink(join(proc, 'self/ns/mnt')))])
  const found: Holder[] = []
  for (const entry of await readdir(proc)) {
    if (!/^[0-9]+$/.test(entry)) continue
    const namespace = await tolerant(readlink(join(proc, entry, 'ns/mnt')))
    if (namespace === undefined || seen.has(namespace)) continue
    const mounts = await tolerant(readFile(join(proc, entry, 'mountinfo'), 'utf8'))
    // The process has just ended: another one of the same namespace may tell.
    if (mounts === undefined || mounts === '') continue
    seen.add(namespace)
    const copy = parseMountinfo(mounts).find((one) => one.device === mount.device && !follows(one, mount))
    if (!copy) continue
    const command = (await tolerant(readFile(join(proc, entry, 'comm'), 'utf8')))?.trim() ?? '?'
    const uid = await uidOf(join(proc, entry))
    found.push({ pid: Number(entry), uid, command, how: 'namespace', path: copy.mountPoint })
  }
  return found
}

/** Of one peer group, or a slave of it: the kernel unmounts both, or neither where one is in use. */
function follows(copy: Mount, mount: Mount): boolean {
  const group = mount.propagation.find((one) => one.startsWith('shared:'))?.slice('shared:'.length)
  return (
    group !== undefined &&
    (copy.propagation.includes(`shared:${group}`) || copy.propagation.includes(`master:${group}`))
  )
}

/** A process may end, or be another user's, while it is looked at. */
async function tolerant<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look
  } catch {
    return undefined
  }
}
