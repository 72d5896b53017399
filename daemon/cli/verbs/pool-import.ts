/** `pool import`: imports a pool and mounts nothing; one that another host may be using is left alone. */
import { resolve } from 'node:path'
import { poolName } from '../../../native/zfs/names.ts'
import { poolState } from '../../../native/zfs/pool.ts'
import { poolImport } from '../../../native/zfs/pool-import.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import type { Verb } from '../cli.ts'

interface Options {
  readonly directory?: string
}

export const verb: Verb<[pool: string], Options> = {
  configure(command) {
    command
      .argument('<pool>', 'its name')
      .option(
        '--directory <path>',
        'where its devices, or the file that it is on, are looked for (default: /dev)',
      )
      .addHelpText(
        'after',
        `
A pool that another host used last and did not export is never forced. One that is imported already stays as it is.`,
      )
  },

  async run(cli, [name], options) {
    const pool = poolName(name)
    const directory = options.directory === undefined ? undefined : resolve(options.directory)
    const zfs = await cli.openZfs()
    const { signal } = cli
    const imported = await poolImport(zfs, pool, { directory, signal })
    const { guid, health, availableBytes } = await poolState(zfs, pool, { signal })
    await cli.out.one({ pool, guid, health, availableBytes, imported }, () => [
      `${imported ? `imported pool ${pool}` : `pool ${pool} was imported already`}: ${health}, ${humanBytes(availableBytes)} free`,
    ])
  },
}
