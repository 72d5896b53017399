/** `pool check`: what of a pool is not as projects want it, each with the command that mends it. Changes nothing. */
import type { Capabilities } from '../../../native/zfs/capabilities.ts'
import type { PoolState } from '../../../native/zfs/pool.ts'
import { poolCheck } from '../../../native/zfs/pool-check.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import type { Verb } from '../cli.ts'
import { EXIT } from '../exit.ts'
import { counted, properties } from '../output.ts'
import { DEFAULT_PARENT, poolAndParent, syncOf } from '../pool.ts'

interface Options {
  readonly sync?: string
}

export const verb: Verb<[pool: string], Options> = {
  configure(command) {
    command
      .argument('<pool>', `its name; with /NAME where projects do not live below ${DEFAULT_PARENT}`)
      .option('--sync <mode>', 'what sync is meant to be: standard, always or disabled (default: standard)')
      .addHelpText('after', '\nIt ends with 0 where all is as wanted and with 1 where something differs.')
  },

  async run(cli, [text], options) {
    const { pool, parent } = poolAndParent(text)
    const sync = syncOf(options.sync)
    const zfs = await cli.openZfs()
    const { signal } = cli
    const wishes = sync === undefined ? {} : { sync }
    const { state, differences } = await poolCheck(zfs, pool, parent, { ...wishes, signal })
    const { flavour, version = null } = zfs.capabilities
    await cli.out.one(
      { ...state, altroot: state.altroot ?? null, parent, flavour, version, differences },
      () => [
        ...properties([
          ['pool', `${pool}, ${state.health}`],
          ['zfs', zfsName(zfs.capabilities)],
          ['space', spaceOf(state)],
          ['projects', `below ${parent}`],
        ]),
        '',
        ...differences.flatMap(({ what, found, wanted, why, command, serious }) => [
          `${what} is ${found}, wanted is ${wanted}: ${why}${serious ? ' [serious]' : ''}`,
          `  ${command}`,
        ]),
        differences.length === 0 ? 'all is as wanted' : counted(differences.length, 'difference'),
      ],
    )
    return differences.length === 0 ? EXIT.ok : EXIT.failed
  },
}

const zfsName = ({ flavour, version }: Capabilities): string =>
  flavour === 'zfs-fuse'
    ? 'zfs-fuse, which does not tell its version'
    : `OpenZFS ${version ?? 'of an unknown version'}`

const spaceOf = ({ usedBytes, availableBytes, capacityPercent }: PoolState): string =>
  `${humanBytes(usedBytes)} used (${capacityPercent}%), ${humanBytes(availableBytes)} free`
