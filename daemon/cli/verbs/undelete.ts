/** `undelete`: has a destroyed project back. */
import { projectId } from '../../../pipeline/base/ids.ts'
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
    const answer = await cli.ask<Answer>('POST', `/v1/projects/${id}/undelete`)
    await cli.out.one(answer, () => [`${id} is back: \`tidepool open ${id}\`, or touch its directory`])
  },
}
