/**
 * Copies one file or folder of a restored point into its project, with the rights of the project's owner and no others: what
 * is in a home directory may be moved and linked elsewhere by its owner at any moment, so root must not write along its paths.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { lstat, stat } from 'node:fs/promises'
import { dirname, join, normalize, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { copyAs, roomOf } from './copy-as.ts'

const run = promisify(execFile)

export interface BringBack {
  /** Where the old point is mounted, and the project. */
  readonly from: string
  readonly into: string
  /** Below the root of either. */
  readonly path: string
  /** Instead of where it was: absolute, or from where the command was called. */
  readonly to?: string | undefined
  /** Replaces a file that is there now. */
  readonly overwrite?: boolean
  readonly signal?: AbortSignal
}

/** Below the project's root; what is given as a whole path into the project is cut to that. Rejects with `bad-path`. */
export function pathInProject(text: string, roots: readonly string[]): string {
  const root = roots.find((one) => text === one || text.startsWith(`${one}/`))
  const path = normalize(root === undefined ? text : relative(root, text))
  const why = path.startsWith('/')
    ? 'it is outside of the project'
    : path === '..' || path.startsWith('../')
      ? 'it leaves the project'
      : path === '.' || path === ''
        ? 'it is the whole project'
        : text.includes('\0')
          ? 'no path has a NUL'
          : undefined
  if (why === undefined) return path.replace(/\/$/, '')
  throw new TidepoolError(
    'bad-path',
    `${JSON.stringify(text.slice(0, 300))} cannot be brought back: ${why}`,
    {
      hint: 'Give the path of a file or folder as it is below the project.',
    },
  )
}

/** Resolves with where it is now: whole, or not at all. */
export async function bringBack({
  from,
  into,
  path,
  to,
  overwrite = false,
  signal,
}: BringBack): Promise<string> {
  const source = join(from, path)
  const target = to === undefined ? join(into, path) : resolve(to)
  const found = await lstat(source).catch((cause: unknown) => {
    throw errnoOf(cause) === 'ENOENT' ? absent(path) : cause
  })
  const there = await lstat(target).catch(() => undefined)
  if (there && (!overwrite || there.isDirectory() || found.isDirectory()))
    throw inTheWay(target, there.isDirectory())
  const as = await whoActs(to === undefined ? into : undefined)
  const copy = join(dirname(target), `.tidepool-restoring-${randomBytes(6).toString('hex')}`)
  const act = (program: string, args: readonly string[]) =>
    run(program, [...args], { ...as, ...(signal && { signal }) })
  try {
    if (to === undefined) await act('mkdir', ['-p', '--', dirname(target)])
    await copyAs(source, copy, { ...as, ...(signal && { signal }) })
    await act('mv', [overwrite ? '-f' : '-n', '-T', '--', copy, target])
    // `mv -n` that found somebody else's file there leaves ours, and says nothing.
    if (await lstat(copy).catch(() => undefined)) throw inTheWay(target, false)
    return target
  } catch (error) {
    await run('rm', ['-rf', '--', copy, roomOf(copy)], as).catch(() => {})
    throw error instanceof TidepoolError ? error : failed(path, target, error)
  }
}

/** Root acts as whoever the project is; anybody else as himself. */
async function whoActs(root: string | undefined): Promise<{ uid?: number; gid?: number }> {
  if (root === undefined || process.getuid?.() !== 0) return {}
  const { uid, gid } = await stat(root)
  return { uid, gid }
}

const absent = (path: string): TidepoolError =>
  new TidepoolError('path-absent', `there is no ${path} in that point`, {
    hint: 'An older or newer point may have it: `tidepool snapshots ID` lists them.',
    facts: { path },
  })

const inTheWay = (target: string, isDirectory: boolean): TidepoolError =>
  new TidepoolError('path-there', `${target} is there already`, {
    hint: isDirectory
      ? 'A folder is never replaced: bring it back to another place with --to, or move this one away.'
      : 'Replace it with --overwrite, or bring it back to another place with --to.',
    facts: { path: target },
  })

function failed(path: string, target: string, cause: unknown): TidepoolError {
  const { stderr, message } = cause as { stderr?: string; message?: string }
  const why = (stderr?.trim() || message || String(cause)).slice(0, 500)
  return new TidepoolError('restore-failed', `${path} could not be brought back to ${target}: ${why}`, {
    cause,
    hint: 'Nothing of it is left there. See whether its owner may write there, and whether there is room.',
  })
}
