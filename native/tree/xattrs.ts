/** The extended attributes of a whole tree, POSIX ACLs among them. Node can't read them; `getfattr` of the package attr does, in one run. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'

/** By path below the root (bytes as latin1, `.` for the root itself): lines `name=0xvalue`, sorted. */
export type Xattrs = ReadonlyMap<string, readonly string[]>

export async function readXattrs(root: string, signal?: AbortSignal): Promise<Xattrs> {
  // Physical and without following links; values in hex, so that a line is a line.
  const child = spawn('getfattr', ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--', '.'], {
    cwd: root,
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  })
  let complaint = ''
  child.stderr.on('data', (piece: Buffer) => {
    complaint = (complaint + piece.toString()).slice(-2000)
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  ended.catch(() => {}) // looked at below
  const found = new Map<string, string[]>()
  let current: string[] = []
  child.stdout.setEncoding('latin1')
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('# file: ')) {
      current = []
      found.set(withBytes(line.slice('# file: '.length)), current)
    } else if (line !== '') current.push(line)
  }
  try {
    const code = await ended
    if (code !== 0) throw unread(root, complaint.trim() || `getfattr ended with ${code}`)
  } catch (error) {
    signal?.throwIfAborted()
    if (errnoOf(error) === 'ENOENT') throw unread(root, 'there is no getfattr, or no such directory', error)
    throw error
  }
  for (const lines of found.values()) lines.sort()
  return found
}

const withBytes = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

const unread = (root: string, why: string, cause?: unknown): TidepoolError =>
  new TidepoolError('xattrs-unread', `the extended attributes below ${root} could not be read: ${why}`, {
    cause,
    hint: 'Install the package attr (apt-get install attr), and read as root.',
  })
