/** `unpin`: the end of a pin: the policy decides about a point again, or a project may leave the pool again. */
import { projectId } from '../../../pipeline/base/ids.ts'
import type { Verb } from '../cli.ts'
import { pointOf } from '../moments.ts'

export const verb: Verb<[id: string, point: string | undefined]> = {
  configure(command) {
    command
      .argument('<id>', 'the project')
      .argument('[point]', 'its GUID; without it the project may leave this pool')
  },

  async run(cli, [text, given]) {
    const id = projectId(text)
    if (given === undefined) {
      const answer = await cli.ask('PUT', `/v1/projects/${id}/stays`, { stays: false })
      await cli.out.one(answer, () => [`${id} leaves this pool when nobody uses it`])
      return
    }
    const point = pointOf(id, given)
    const answer = await cli.ask('POST', `/v1/projects/${id}/unpin`, { point })
    await cli.out.one(answer, () => [`the policy decides about point ${point} of ${id}`])
  },
}
