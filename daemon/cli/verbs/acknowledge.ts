/** `acknowledge`: from now on the policy alone decides about these points. */
import { projectId } from '../../../pipeline/base/ids.ts'
import type { Verb } from '../cli.ts'
import { pointOf } from '../moments.ts'

export const verb: Verb<[id: string, points: readonly string[]]> = {
  configure(command) {
    command
      .argument('<id>', 'the project')
      .argument('<points...>', 'pins, side points and what a rollback left, by their GUIDs')
  },

  async run(cli, [text, texts]) {
    const id = projectId(text)
    const points = texts.map((one) => pointOf(id, one))
    const answer = await cli.ask('POST', `/v1/projects/${id}/acknowledge`, { points })
    await cli.out.one(answer, () => [`the policy decides about ${points.join(', ')} of ${id}`])
  },
}
