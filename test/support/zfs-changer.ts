/** A process of its own that runs one command of ZFS, to be killed: `tsx zfs-changer.ts here|launcher ZFS ARG...`. */
import { Launcher } from '../../native/zfs/launcher.ts'
import { Commands } from '../../native/zfs/run.ts'
import { listening } from './launcher.ts'

const [how, zfs = '', ...args] = process.argv.slice(2)
const launcher = how === 'launcher' ? new Launcher() : undefined
if (launcher) await listening(launcher)
await new Commands({ zfs }, { launcher }).change('zfs', args)
