/** `destroy`: nobody can open a project any more; an undelete has it back until its window is over. */

import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { projectId } from '../../../pipeline/base/ids.ts'
import { askLong } from '../ask-long.ts'
import type { Verb } from '../cli.ts'

interface Options {
  readonly yes?: boolean
}

export const verb: Verb<[id: string], Options> = {
  configure(command) {
    command.argument('<id>', 'the project').option('--yes', 'do it; without this it says what it would do')
  },

  async run(cli, [text], { yes }) {
    const id = projectId(text)
    if (!yes) {
      await cli.ask('GET', `/v1/projects/${id}`)
      throw new TidepoolError(
        'bad-usage',
        `nothing was done: this would save ${id} and then keep everybody out of it`,
        {
          hint: `Do it: tidepool destroy ${id} --yes. Until its window is over, \`tidepool undelete ${id}\` has it back.`,
        },
      )
    }
    const answer = await askLong<object>(cli, 'destroy', id)
    await cli.out.one(answer, () => [
      `destroyed ${id}: \`tidepool undelete ${id}\` has it back until its window is over`,
    ])
  },
}
