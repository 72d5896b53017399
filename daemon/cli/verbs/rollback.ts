/** `rollback`: makes an older point the state of a project; what it is now stays a point until it is acknowledged. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { askLong } from '../ask-long.ts'
import type { Verb } from '../cli.ts'
import { pointOf } from '../moments.ts'

interface Answer {
  readonly path: string
  readonly head: string
}

export const verb: Verb<[id: string, point: string]> = {
  configure(command) {
    command.argument('<id>', 'the project').argument('<point>', 'its GUID, as `tidepool history` lists it')
  },

  async run(cli, [text, given]) {
    const id = projectId(text)
    const point = pointOf(id, given)
    const answer = await askLong<Answer>(cli, 'rollback', id, { point })
    await cli.out.one(answer, () => [
      `${answer.path} is what it was at point ${answer.head}`,
      '  what it was before is a point of its history, kept until it is acknowledged',
    ])
  },
}
