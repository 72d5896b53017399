/** `pin`: keeps a point of a project whatever the policy says. */
import { projectId } from '../../../pipeline/base/ids.ts'
import type { Verb } from '../cli.ts'

export const verb: Verb<[id: string, point: string]> = {
  configure(command) {
    command.argument('<id>', 'the project').argument('<point>', 'its GUID, as `tidepool history` lists it')
  },

  async run(cli, [text, point]) {
    const id = projectId(text)
    const answer = await cli.ask('POST', `/v1/projects/${id}/pin`, { point })
    await cli.out.one(answer, () => [
      `point ${point} of ${id} stays until \`tidepool acknowledge ${id} ${point}\``,
    ])
  },
}
