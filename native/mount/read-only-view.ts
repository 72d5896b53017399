/**
 * A directory shown read-only at a second path: whoever owns a file in it can read it there, and neither change its mode nor fill it.
 * Also a mount namespace of a user's own leaves it so: a mount that came from outside stays read-only in it.
 */
import { execFile } from 'node:child_process'
import { readFile, realpath } from 'node:fs/promises'
import { promisify } from 'node:util'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { mountAt } from './mountinfo.ts'

const run = promisify(execFile)
const LIMIT_MS = 10_000
const CAP_SYS_ADMIN = 21n

/** Whether this process may mount at all. */
export async function mayMount(): Promise<boolean> {
  const [, effective] = /^CapEff:\s*([0-9a-f]+)$/m.exec(await readFile('/proc/self/status', 'utf8')) ?? []
  return ((BigInt(`0x${effective ?? '0'}`) >> CAP_SYS_ADMIN) & 1n) === 1n
}

/**
 * In place of what an earlier process has shown there. It is made first and read-only then: whoever is not to come in between is kept
 * out by the directory's mode. Rejects with `view-writable` where it is not read-only in the end.
 */
export async function showReadOnly(directory: string, at: string): Promise<void> {
  await hideView(at)
  await run('mount', ['-o', 'bind,ro,nosuid,nodev,noexec', directory, at], { timeout: LIMIT_MS })
  if ((await mountAt(await realpath(at)))?.options.includes('ro')) return
  await hideView(at)
  throw new TidepoolError('view-writable', `${directory} could not be mounted read-only at ${at}`, {
    hint: 'It needs mount(8) of util-linux 2.27 or later.',
  })
}

/** Also where there is none. Whoever has something open there keeps it. */
export async function hideView(at: string): Promise<void> {
  const path = await realpath(at).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error
    return at
  })
  while (await mountAt(path)) await run('umount', ['-l', '-c', path], { timeout: LIMIT_MS })
}
