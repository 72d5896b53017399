/** Who keeps a mount busy: processes whose directory, root, open file or mapped file lies in it. */
import { readlinkSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unescapeOctal } from './mountinfo.ts'

export interface Holder {
  readonly pid: number
  /** Null where it has ended meanwhile. */
  readonly uid: number | null
  /** Its name, as `ps` shows it in short. */
  readonly command: string
  readonly how: 'cwd' | 'root' | 'file' | 'mapping' | 'namespace'
  readonly path: string
}

export interface HoldersOptions {
  /** Enough to tell people; a busy host may have thousands. */
  readonly max?: number
  readonly proc?: string
}

/**
 * At most one entry a process. Only links below /proc are read, never the mount itself, which may hang. Processes of other
 * users are seen by root alone; of those in other mount namespaces see
 * `copiesElsewhere`.
 */
export async function holders(
  mountPoint: string,
  { max = 20, proc = '/proc' }: HoldersOptions = {},
): Promise<Holder[]> {
  const found: Holder[] = []
  const inside = isInside(mountPoint)
  const part = plainPartOf(mountPoint)
  for (const entry of await readdir(proc)) {
    if (found.length >= max) break
    if (!/^[0-9]+$/.test(entry)) continue
    const hit = await holdsBy(join(proc, entry), inside, part)
    if (hit === undefined) continue
    const command = (await tolerant(readFile(join(proc, entry, 'comm'), 'utf8')))?.trim() ?? '?'
    found.push({ pid: Number(entry), uid: await uidOf(join(proc, entry)), command, ...hit })
  }
  return found
}

/** One of them, looked at again. */
export const holdsStill = async (pid: number, mountPoint: string): Promise<boolean> =>
  (await holdsBy(join('/proc', String(pid)), isInside(mountPoint), plainPartOf(mountPoint))) !== undefined

const isInside =
  (mountPoint: string) =>
  (path: string | undefined): path is string =>
    path !== undefined &&
    (path === mountPoint || path.startsWith(`${mountPoint}/`) || path === `${mountPoint} (deleted)`)

/** The one by whose rights it acts. */
export async function uidOf(process: string): Promise<number | null> {
  const status = await tolerant(readFile(join(process, 'status'), 'utf8'))
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(status ?? '')?.[1]
  return uid === undefined ? null : Number(uid)
}

/** Of all mounts below one directory in one look: which of its entries some process is in. */
export async function entriesInUse(
  root: string,
  { proc = '/proc' }: HoldersOptions = {},
): Promise<Set<string>> {
  const used = new Set<string>()
  const prefix = `${root}/`
  const part = plainPartOf(root)
  // Never a hit, so that each process is looked at to its end.
  const note = (path: string | undefined): path is string => {
    if (path?.startsWith(prefix)) used.add(path.slice(prefix.length).split('/', 1)[0] as string)
    return false
  }
  for (const entry of await readdir(proc))
    if (/^[0-9]+$/.test(entry)) await holdsBy(join(proc, entry), note, part)
  return used
}

/** As much of a path as `maps` shows as it is: what has not even that in it need not be looked into line by line. */
const plainPartOf = (path: string): string => path.split(/[\n\\]/, 1)[0] as string

type Hit = Pick<Holder, 'how' | 'path'>

async function holdsBy(
  process: string,
  inside: (path: string | undefined) => path is string,
  part: string,
): Promise<Hit | undefined> {
  for (const how of ['cwd', 'root'] as const) {
    const path = linkOf(`${process}/${how}`)
    if (inside(path)) return { how, path }
  }
  for (const fd of (await tolerant(readdir(`${process}/fd`))) ?? []) {
    const path = linkOf(`${process}/fd/${fd}`)
    if (inside(path)) return { how: 'file', path }
  }
  // Not at once: whoever changes the process's memory keeps this waiting, for as long as a hung mount keeps them.
  const maps = (await tolerant(readFile(join(process, 'maps'), 'utf8'))) ?? ''
  for (const line of maps.includes(part) ? maps.split('\n') : []) {
    // The sixth column, after addresses, rights, offset, device and inode; the rest of the line is the path.
    const path = /^\S+ \S+ \S+ \S+ \S+ +(\/.*)$/.exec(line)?.[1]
    const plain = path === undefined ? undefined : unescapeOctal(path)
    if (inside(plain)) return { how: 'mapping', path: plain }
  }
  return undefined
}

/** At once: the kernel waits for nobody to tell it, and a promise for each of thousands takes most of a second of a core a minute. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined // as for `tolerant`
  }
}

/** A process may end, or be another user's, while it is looked at. */
async function tolerant<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look
  } catch {
    return undefined
  }
}
