/** `snapshot`: makes a point of what a project is now. */
import { projectId } from '../../../pipeline/base/ids.ts'
import type { Verb } from '../cli.ts'

interface Options {
  readonly local?: boolean
}

export const verb: Verb<[id: string], Options> = {
  configure(command) {
    command
      .argument('<id>', 'the project')
      .option('--local', 'quick, and in this pool alone: it dies with it')
  },

  async run(cli, [text], { local = false }) {
    const id = projectId(text)
    const answer = await cli.ask<{ point: string }>('POST', `/v1/projects/${id}/snapshot`, { local })
    await cli.out.one(answer, () => [`point ${answer.point}${local ? ', in this pool alone' : ''}`])
  },
}
