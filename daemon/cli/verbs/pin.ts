/** `pin`: keeps a point of a project whatever the policy says, or the project itself in the pool of this host. */
import { projectId } from '../../../pipeline/base/ids.ts'
import type { Verb } from '../cli.ts'
import { pointOf } from '../moments.ts'

export const verb: Verb<[id: string, point: string | undefined]> = {
  configure(command) {
    command
      .argument('<id>', 'the project')
      .argument(
        '[point]',
        'its GUID, as `tidepool history` lists it; without it the project stays in this pool',
      )
  },

  async run(cli, [text, given]) {
    const id = projectId(text)
    if (given === undefined) {
      const answer = await cli.ask('PUT', `/v1/projects/${id}/stays`, { stays: true })
      await cli.out.one(answer, () => [`${id} stays in this pool until \`tidepool unpin ${id}\``])
      return
    }
    const point = pointOf(id, given)
    const answer = await cli.ask('POST', `/v1/projects/${id}/pin`, { point })
    await cli.out.one(answer, () => [`point ${point} of ${id} stays until \`tidepool unpin ${id} ${point}\``])
  },
}
