/** What the ZFS of this machine can do, found by asking it: versions are shown to people and never compared. */
import { allOf } from '../../pipeline/base/all-of.ts'
import { ZfsError } from './errors.ts'
import type { Commands, RunOptions } from './run.ts'

export interface Capabilities {
  readonly flavour: 'openzfs' | 'zfs-fuse'
  /** As it calls itself; zfs-fuse does not say. */
  readonly version: string | undefined
  /** The properties that datasets have here, without user properties. */
  readonly properties: ReadonlySet<string>
  /** Bytes written since the newest snapshot, as a property. */
  readonly written: boolean
  readonly diff: boolean
  readonly bookmarks: boolean
  /** `zfs holds` lists tags; holding itself works everywhere. */
  readonly holdsList: boolean
  readonly json: boolean
  /** `zfs get -t snapshot`. */
  readonly getTypes: boolean
  readonly send: {
    readonly compressed: boolean
    readonly largeBlocks: boolean
    readonly embedded: boolean
    readonly raw: boolean
    readonly estimate: boolean
  }
  readonly receive: { readonly resumable: boolean; readonly properties: boolean }
  readonly compression: { readonly lz4: boolean; readonly zstd: boolean }
  readonly xattrSa: boolean
  /** The word for POSIX ACLs, where it has them: `posix` or `posixacl`. */
  readonly posixAcl: string | undefined
  readonly sync: boolean
  readonly dnodeSize: boolean
  readonly importUnmounted: boolean
}

/** The letters of `[-DnPpR]` in the lines of one command of a usage text. */
function letters(usage: string, command: string): string {
  const lines = usage.split('\n').filter((line) => line.trimStart().startsWith(`${command} `))
  return lines
    .flatMap((line) => [...line.matchAll(/\[-([A-Za-z|[\]]+)/g)].map((match) => match[1] ?? ''))
    .join('')
}

const has = (usage: string, command: string): boolean => new RegExp(`^\\s+${command}\\b`, 'm').test(usage)

/** The property table that `zfs get` prints with its usage: name → values. */
export function parsePropertyTable(text: string): Map<string, string> {
  const table = new Map<string, string>()
  for (const [, name, values] of text.matchAll(
    /^\t([a-z_0-9@]+)(?:\.\.\.)?\s+(?:YES|NO)\s+(?:YES|NO)\s+(.*)$/gm,
  ))
    if (name !== undefined) table.set(name, values ?? '')
  return table
}

export interface UsageTexts {
  /** Of `zfs` alone, of `zfs get` alone, of `zpool` alone. */
  readonly zfs: string
  readonly get: string
  readonly zpool: string
  /** Of `zfs version`, or undefined where that is no command. */
  readonly version: string | undefined
}

/** From the texts alone, so that it is the same for those that were recorded once. */
export function readCapabilities(texts: UsageTexts): Capabilities {
  const table = parsePropertyTable(texts.get)
  const send = letters(texts.zfs, 'send')
  const receive = letters(texts.zfs, 'receive')
  const get = texts.zfs.slice(texts.zfs.search(/^\s+get /m)).split(/\n\t(?! )/, 1)[0] ?? ''
  const values = (property: string): string[] => (table.get(property) ?? '').split(/\s*\|\s*/)
  const openzfs = texts.version !== undefined || has(texts.zfs, 'bookmark')
  return {
    flavour: openzfs ? 'openzfs' : 'zfs-fuse',
    version: texts.version?.split('\n')[0]?.replace(/^zfs-/, '').trim(),
    // These two are answered everywhere, yet in zfs-fuse's table they are missing.
    properties: new Set([...table.keys(), 'guid', 'createtxg']),
    written: table.has('written'),
    diff: has(texts.zfs, 'diff'),
    bookmarks: has(texts.zfs, 'bookmark'),
    // zfs-fuse has the command, and a script for it that is not there.
    holdsList: openzfs,
    json: /-j\b/.test(get),
    getTypes: /\[-t /.test(get),
    send: {
      compressed: send.includes('c'),
      largeBlocks: send.includes('L'),
      embedded: send.includes('e'),
      raw: send.includes('w'),
      estimate: send.includes('n') && send.includes('P'),
    },
    receive: { resumable: receive.includes('s'), properties: /receive .*\[-o </.test(texts.zfs) },
    compression: { lz4: values('compression').includes('lz4'), zstd: values('compression').includes('zstd') },
    xattrSa: values('xattr').includes('sa'),
    posixAcl: ['posix', 'posixacl'].find((word) => values('acltype').includes(word)),
    sync: table.has('sync'),
    dnodeSize: table.has('dnodesize'),
    importUnmounted: openzfs || /\[-N\]/.test(texts.zpool),
  }
}

/** Asks the commands that are there. Rejects with `no-daemon` or `zfs-missing` where ZFS cannot be used at all. */
export async function findCapabilities(commands: Commands, options: RunOptions = {}): Promise<Capabilities> {
  const usage = async (program: 'zfs' | 'zpool', args: readonly string[]): Promise<string> => {
    try {
      return await commands.read(program, args, options)
    } catch (error) {
      // Without arguments each of them complains, and then says all that it knows.
      if (error instanceof ZfsError && error.code === 'usage') return error.stderr
      throw error
    }
  }
  const [zfs, get, zpool] = await allOf([usage('zfs', []), usage('zfs', ['get']), usage('zpool', [])])
  const version = has(zfs, 'version') ? await commands.read('zfs', ['version'], options) : undefined
  // The usage is printed without the kernel's part too; this is not, and it touches no dataset.
  await commands.read('zpool', ['list', '-H', '-o', 'name'], options)
  return readCapabilities({ zfs, get, zpool, version })
}
