/** A process of its own that runs one command of ZFS, to be killed: `tsx zfs-changer.ts ZFS ARG...`. */
import { Commands } from '../../native/zfs/run.ts'

const [zfs = '', ...args] = process.argv.slice(2)
await new Commands({ zfs }).change('zfs', args)
