/** `move`: lets another host have a project at once. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { askLong } from '../ask-long.ts'
import type { Verb } from '../cli.ts'

interface Answer {
  readonly to: { readonly host: string; readonly name: string }
}

export const verb: Verb<[id: string, host: string]> = {
  configure(command) {
    command.argument('<id>', 'the project').argument('<host>', 'the id or the name of the host')
  },

  async run(cli, [text, to]) {
    const id = projectId(text)
    const answer = await askLong<Answer>(cli, 'move', id, { to })
    await cli.out.one(answer, () => [`${id} is saved and free: open it on ${answer.to.name}`])
  },
}
