/** A name and a place for a pool that the command makes, on the ZFS of this machine. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import { whileBusy } from '../../native/zfs/busy.ts'
import { exists } from '../../native/zfs/get.ts'
import { childOf, type DatasetName, datasetName, type PoolName, poolName } from '../../native/zfs/names.ts'
import { openZfs, type Zfs } from '../../native/zfs/zfs.ts'
import { tidepool as command, type Ran } from './command.ts'

export const run = promisify(execFile)
let made = 0

export interface World {
  readonly zfs: Zfs
  readonly directory: string
  readonly pool: PoolName
  readonly parent: DatasetName
  readonly file: string
}

/** A name and a place for a pool; what was made there is gone afterwards. */
export async function withPlace(body: (world: World) => Promise<void>): Promise<void> {
  const directory = await mkdtemp('/var/tmp/tidepool-test-pool-')
  const zfs = await openZfs()
  made += 1
  const pool = poolName(`tidepool-test-${process.pid}-verb${made}`)
  const root = datasetName(pool)
  try {
    await body({ zfs, directory, pool, parent: childOf(root, 'projects'), file: join(directory, 'pool.img') })
  } finally {
    if (await exists(zfs, root))
      await whileBusy(zfs, root, () => zfs.commands.change('zpool', ['destroy', '-f', pool]))
    await rm(directory, { recursive: true, force: true })
  }
}

/** In this process: one of its own takes nine seconds where the processor is emulated. */
export async function tidepool(
  ...args: string[]
): Promise<Pick<Ran, 'code' | 'stdout' | 'stderr'> & { readonly said: string }> {
  const { code, stdout, stderr } = await command(args)
  return { code, stdout, stderr, said: `${stdout}${stderr}` }
}

export async function succeeds(...args: string[]): Promise<string> {
  const { code, said } = await tidepool(...args)
  assert.is(code, 0, said)
  return said
}

export async function fails(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await tidepool(...args)
  assert.equal([code, String(stdout)], [1, ''], stderr)
  assert.match(stderr, /^tidepool: .+\n {2}.+\n$/)
  return stderr
}

export const shell = (line: string) => run('sh', ['-c', line])
