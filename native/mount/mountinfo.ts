/** What is mounted where, from /proc/self/mountinfo: reading it touches no mount, so a hung one cannot hang us. */
import { readFile } from 'node:fs/promises'

export interface Mount {
  readonly id: number
  readonly parentId: number
  /** `major:minor` of its file system; for FUSE the minor names the connection. */
  readonly device: string
  /** Where in its file system it starts; `/` for a whole one. */
  readonly root: string
  readonly mountPoint: string
  readonly options: readonly string[]
  /** `shared:5`, `master:1` and their like; none for a private mount. */
  readonly propagation: readonly string[]
  readonly type: string
  /** For ZFS the dataset's name. */
  readonly source: string
  readonly superOptions: readonly string[]
}

const MOUNTINFO = '/proc/self/mountinfo'

/** `\040` and its like: space, tab, newline, backslash and `#` are written in octal. */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

/** The fields after the sixth are optional, any number of them, up to a lone dash. */
export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ')
    const dash = fields.indexOf('-', 6)
    const [id, parentId, device, root, mountPoint, options] = fields
    if (
      dash < 0 ||
      device === undefined ||
      root === undefined ||
      mountPoint === undefined ||
      options === undefined
    )
      return []
    const [type = '', source = '', superOptions = ''] = fields.slice(dash + 1)
    return [
      {
        id: Number(id),
        parentId: Number(parentId),
        device,
        root: unescapeOctal(root),
        mountPoint: unescapeOctal(mountPoint),
        options: options.split(','),
        propagation: fields.slice(6, dash),
        type,
        source: unescapeOctal(source),
        superOptions: superOptions.split(','),
      },
    ]
  })
}

/** All mounts that this process sees, in the order in which they were made. */
export async function readMounts(path = MOUNTINFO): Promise<Mount[]> {
  return parseMountinfo(await readFile(path, 'utf8'))
}

export const isZfs = ({ type }: Mount): boolean => type === 'zfs' || type === 'fuse.zfs'

/** Where a dataset is mounted: mostly once or nowhere, but a bind mount or a container can add more. */
export async function mountsOf(dataset: string, path = MOUNTINFO): Promise<Mount[]> {
  return (await readMounts(path)).filter((mount) => isZfs(mount) && mount.source === dataset)
}

/** What is seen at a directory: of mounts on one another the last. */
export async function mountAt(directory: string, path = MOUNTINFO): Promise<Mount | undefined> {
  return (await readMounts(path)).filter((mount) => mount.mountPoint === directory).at(-1)
}
