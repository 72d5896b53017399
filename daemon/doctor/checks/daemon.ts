/** The daemon and its access process, where they run. */
import { isOurRoot } from '../../../native/fuse/stale.ts'
import { codeOf } from '../../../pipeline/base/errors.ts'
import { socketOf } from '../../daemon.ts'
import { type Check, fail, ok, skipped, warn } from '../check.ts'
import { configOf } from '../world.ts'

interface Status {
  readonly mayAct: boolean
  readonly why: string | null
  readonly open: number
  readonly failingSaves: readonly { readonly id: string; readonly why: string }[]
}

const START = 'systemctl start tidepool (npm start in a checkout)'

export const daemon: Check = {
  name: 'daemon',
  run: async (world, signal) => {
    const config = configOf(world)
    if (!config) return skipped('no configuration')
    try {
      const { mayAct, why, open, failingSaves } = await world.askDaemon<Status>('/v1/status', signal)
      if (!mayAct) return fail(`it may not act: ${why}`, 'tidepool status; look at the store and its clock')
      const [first] = failingSaves
      if (first)
        return warn(
          `${failingSaves.length} projects cannot be saved, among them ${first.id}: ${first.why}`,
          `tidepool status ${first.id}`,
        )
      return ok(`it answers on ${socketOf(config)}, ${open} open`)
    } catch (error) {
      if (codeOf(error) === 'daemon-missing') return warn(`none answers on ${socketOf(config)}`, START)
      throw error
    }
  },
}

export const access: Check = {
  name: 'access process',
  run: async (world) => {
    const config = configOf(world)
    if (!config) return skipped('no configuration')
    const top = (await world.mounts()).filter(({ mountPoint }) => mountPoint === config.access).at(-1)
    const restart = 'systemctl restart tidepool-access (in a checkout, npm start brings it back)'
    if (!top) return warn(`${config.access} is not served: only \`tidepool open ID\` opens projects`, restart)
    if (!isOurRoot(top))
      return fail(`${top.source} (${top.type}) is mounted on ${config.access}`, `umount ${config.access}`)
    if (await world.answersWalks(config.access)) return ok(`${config.access} is served`)
    return fail(`${config.access} is mounted, and nobody answers there`, restart)
  },
}
