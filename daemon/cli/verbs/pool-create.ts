/** `pool create`: makes a pool for projects on a device that nothing uses, or on a new file to try it out. */
import { resolve } from 'node:path'
import { poolName } from '../../../native/zfs/names.ts'
import { DEFAULT_ASHIFT, poolCreate, poolState } from '../../../native/zfs/pool.ts'
import { type PoolWishes, wantedProperties } from '../../../native/zfs/wanted.ts'
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import { SYNC_DISABLED } from '../../projects/sync.ts'
import type { Verb } from '../cli.ts'
import { properties } from '../output.ts'
import { DEFAULT_PARENT, syncOf } from '../pool.ts'
import { parseSize } from '../units.ts'

interface Options {
  readonly size?: string
  readonly parent: string
  readonly ashift?: string
  readonly recordsize?: string
  readonly sync?: string
}

export const verb: Verb<[pool: string, device: string], Options> = {
  configure(command) {
    command
      .argument('<pool>', 'its name')
      .argument('<device>', 'a disk or partition; with --size a file, which must not exist')
      .option('--size <size>', 'make a file of this size instead of using a device: for trying it out')
      .option('--parent <name>', 'the dataset in it below which projects live', DEFAULT_PARENT)
      .option('--ashift <n>', `sectors of 2^n bytes, from 9 (default: ${DEFAULT_ASHIFT}, which is 4K)`)
      .option('--recordsize <size>', 'the most that one block of a file holds (default: 128K, the most)')
      .option('--sync <mode>', 'standard, always or disabled (default: standard)')
      .addHelpText(
        'after',
        `
Never by force: a device that is in use, or has a file system, a partition table or a pool on it, is refused.`,
      )
  },

  async run(cli, [name, given], options) {
    const pool = poolName(name)
    const device = resolve(given)
    const sync = syncOf(options.sync)
    const wishes: PoolWishes = {
      ...(options.recordsize !== undefined && { recordBytes: Number(parseSize(options.recordsize)) }),
      ...(sync !== undefined && { sync }),
    }
    const ashift = ashiftOf(options.ashift)
    const fileBytes = options.size === undefined ? undefined : parseSize(options.size)
    const zfs = await cli.openZfs()
    const { signal } = cli
    const parent = await poolCreate(zfs, {
      ...wishes,
      pool,
      device,
      parent: options.parent,
      ashift,
      signal,
      ...(fileBytes !== undefined && { fileBytes }),
    })
    if (sync === 'disabled') cli.say(SYNC_DISABLED)
    const { guid, availableBytes } = await poolState(zfs, pool, { signal })
    const set = wantedProperties(zfs.capabilities, wishes)
    await cli.out.one(
      {
        pool,
        guid,
        device,
        parent,
        ashift,
        availableBytes,
        properties: Object.fromEntries(set.map(({ name, value }) => [name, value])),
      },
      () => [
        `made pool ${pool} on ${device}`,
        ...properties([
          ['  projects', `below ${parent}, each mounted only when it is opened`],
          ['  free', humanBytes(availableBytes)],
          ['  set', set.map(({ name, value }) => `${name}=${value}`).join(' ')],
        ]),
      ],
    )
  },
}

function ashiftOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_ASHIFT
  if (/^[0-9]{1,2}$/.test(text)) return Number(text)
  throw new TidepoolError('bad-value', `${JSON.stringify(text)} is no ashift`, {
    hint: 'It is a number; 12 is right for nearly all disks.',
  })
}
