/** Imports a pool so that nothing in it is mounted, and takes none that another host may still be using. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { commandLine, ZfsError } from './errors.ts'
import { exists, rows } from './get.ts'
import { datasetName, type PoolName } from './names.ts'
import { poolState } from './pool.ts'
import type { RunOptions } from './run.ts'
import type { Zfs } from './zfs.ts'

export interface ImportOptions extends RunOptions {
  /** Where its devices or files are looked for, instead of in /dev. */
  readonly directory?: string | undefined
}

/**
 * False where it was imported already. Rejects with `pool-elsewhere` where another host used it last and did not export it;
 * where this ZFS can't import without mounting, with `pool-would-mount` where that would mount something.
 */
export async function poolImport(
  zfs: Zfs,
  pool: PoolName,
  { directory, ...options }: ImportOptions = {},
): Promise<boolean> {
  const where = directory === undefined ? [] : ['-d', directory]
  const withoutMounts = zfs.capabilities.importUnmounted
  if (await exists(zfs, datasetName(pool), options)) {
    if (withoutMounts || (await poolState(zfs, pool, options)).altroot !== NOWHERE) return false
    // Left by a look that was killed.
    await leave(zfs, pool)
  }
  const command = ['import', ...(withoutMounts ? ['-N'] : []), ...where]
  try {
    if (!withoutMounts) await refuseMounts(zfs, pool, where, options)
    await zfs.commands.change('zpool', [...command, pool], options)
    return true
  } catch (error) {
    if (!(error instanceof ZfsError)) throw error
    if (error.code === 'pool-exists') return false
    if (error.code === 'pool-elsewhere') throw elsewhere(pool, [...command, '-f', pool], error)
    throw error.code === 'pool-missing' ? notFound(pool, directory, error) : error
  }
}

/** Nobody can make a directory there, so that a pool imported with this before all its mountpoints mounts nothing. */
const NOWHERE = '/proc/tidepool-nowhere'
/** Deeper than names can be long. */
const EVERY_DEPTH = 128

/**
 * Looks at what an import would mount, by one that can't: every dataset that mounts by itself might cover what is there, or
 * make a project writable that is another host's by now.
 */
async function refuseMounts(
  zfs: Zfs,
  pool: PoolName,
  where: readonly string[],
  options: RunOptions,
): Promise<void> {
  const root = datasetName(pool)
  try {
    await zfs.commands.change('zpool', ['import', ...where, '-R', NOWHERE, pool], options)
  } catch (error) {
    // What it could not mount it complains of, and has imported the pool all the same.
    if (!(await exists(zfs, root))) throw error
  }
  const mounting: { name: string; at: string }[] = []
  try {
    options.signal?.throwIfAborted()
    const asked = ['type', 'canmount', 'mountpoint']
    for await (const { name, properties } of rows(zfs, root, asked, { ...options, depth: EVERY_DEPTH })) {
      const of = (property: string): string => properties.get(property)?.value ?? '-'
      const at = of('mountpoint')
      if (of('type') === 'filesystem' && of('canmount') === 'on' && at.startsWith('/'))
        mounting.push({ name, at: at.slice(NOWHERE.length) || '/' })
    }
  } finally {
    await leave(zfs, pool)
  }
  const [first] = mounting
  if (first) throw wouldMount(pool, first, mounting.length, where)
}

/** Not stopped by the caller's signal: a pool that was only looked at must not stay. */
async function leave(zfs: Zfs, pool: PoolName): Promise<void> {
  await zfs.commands.change('zpool', ['export', pool])
}

function wouldMount(
  pool: PoolName,
  { name, at }: { readonly name: string; readonly at: string },
  count: number,
  where: readonly string[],
): TidepoolError {
  const more = count > 1 ? `, and ${count - 1} more` : ''
  const mend = [
    commandLine('zpool', ['import', ...where, '-R', NOWHERE, pool]),
    commandLine('zfs', ['set', 'canmount=noauto', name]),
    commandLine('zpool', ['export', pool]),
  ]
  return new TidepoolError(
    'pool-would-mount',
    `importing ${pool} would mount ${name} at ${at}${more}: this ZFS can't import without mounting`,
    {
      facts: { pool, dataset: name, count },
      hint: `Have it not mount by itself, each of them, and import again: ${mend.join('; ')}`,
    },
  )
}

function notFound(pool: PoolName, directory: string | undefined, cause: unknown): TidepoolError {
  return new TidepoolError('pool-missing', `no pool ${pool} is found in ${directory ?? '/dev'}`, {
    cause,
    hint: `\`${commandLine('zpool', ['import', ...(directory === undefined ? [] : ['-d', directory])])}\` lists those that can be imported; one that is on a file is found with --directory.`,
  })
}

function elsewhere(pool: PoolName, forced: readonly string[], cause: ZfsError): TidepoolError {
  const said = cause.stderr.replace(/\s+/g, ' ')
  const [, host, hostid, at] =
    /(?:accessed by|imported on) (.+?) \(hostid[:=] ?(?:0x)?([0-9a-f]+)\)(?: (?:on|at) (\w+ +\w+ +\d+ [\d:]+ \d+))?/i.exec(
      said,
    ) ?? []
  const who = host === undefined ? 'another host' : `host ${host} (hostid ${hostid})`
  return new TidepoolError(
    'pool-elsewhere',
    `pool ${pool} was used last by ${who}${at === undefined ? '' : ` on ${at}`}, and was not exported there`,
    {
      cause,
      facts: { pool, host: host ?? null, hostid: hostid ?? null },
      hint: `Two hosts at once destroy a pool. Export it there: zpool export ${pool}. Only if that host is gone for good: ${commandLine('zpool', forced)}`,
    },
  )
}
