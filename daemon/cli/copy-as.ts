/** Copies a file or folder with all that belongs to it (modes, times, attributes, hard links), with somebody's rights and no others. */
import { execFile, spawn } from 'node:child_process'
import { lstat, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface As {
  readonly uid?: number
  readonly gid?: number
  readonly signal?: AbortSignal
}

const FUSE_TYPE = 0x65735546

/**
 * To `copy`, which must not exist; where it rejects, what is there of it or of `<copy>.room` is to be removed. `cp` gives modes by ACL, which zfs-fuse keeps
 * as an attribute and does nothing with: each file would be its owner's alone. So where nobody knows what becomes of an ACL, `tar`
 * sets modes as such.
 */
export async function copyAs(source: string, copy: string, as: As): Promise<void> {
  // Where there is no such folder, `cp` says so.
  const { type } = await statfs(dirname(copy)).catch(() => ({ type: undefined }))
  if (type !== FUSE_TYPE) return void (await run('cp', ['-a', '-T', '--', source, copy], as))
  if ((await lstat(source)).isDirectory()) {
    // Into its place at once: a folder that its owner may not write to can't be moved by him to another one.
    await run('mkdir', ['-m', '700', '--', copy], as)
    return byTar(source, '.', copy, as)
  }
  const room = roomOf(copy)
  await run('mkdir', ['-m', '700', '--', room], as)
  await byTar(dirname(source), basename(source), room, as)
  await run('mv', ['-T', '--', join(room, basename(source)), copy], as)
  await run('rmdir', ['--', room], as)
}

export const roomOf = (copy: string): string => `${copy}.room`

async function byTar(from: string, name: string, into: string, as: As): Promise<void> {
  const attributes = ['--xattrs', '--xattrs-include=user.*']
  const reads = spawn('tar', ['-C', from, ...attributes, '--sparse', '-cf', '-', '--', name], {
    ...as,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const writes = spawn('tar', ['-C', into, ...attributes, '-xpf', '-'], {
    ...as,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  // What the one that fails says is told, not that the other had nobody to read or write to.
  const piped = pipeline(reads.stdout, writes.stdin).catch(() => {})
  const ended = await Promise.allSettled([hasEnded(reads), hasEnded(writes)])
  await piped
  for (const one of ended) if (one.status === 'rejected') throw one.reason
}

async function hasEnded(child: ReturnType<typeof spawn>): Promise<void> {
  const [stderr, code] = await Promise.all([
    child.stderr ? text(child.stderr) : '',
    new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    }),
  ])
  if (code !== 0) throw Object.assign(new Error(`tar has ended with ${code}`), { stderr })
}
