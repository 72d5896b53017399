/** `close`: saves a project, unmounts it, and lets other hosts have it. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { askLong } from '../ask-long.ts'
import type { Verb } from '../cli.ts'

interface Answer {
  readonly id: string
}

export const verb: Verb<[id: string]> = {
  configure(command) {
    command.argument('<id>', 'the project')
  },

  async run(cli, [text]) {
    const id = projectId(text)
    const answer = await askLong<Answer>(cli, 'close', id)
    await cli.out.one(answer, () => [`closed ${id}`])
  },
}
