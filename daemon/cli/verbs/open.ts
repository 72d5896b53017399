/** `open`: owns a project, receives what the pool lacks of it, and mounts it. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { askLong } from '../ask-long.ts'
import type { Verb } from '../cli.ts'

interface Answer {
  readonly path: string
  readonly realPath: string
  readonly notes: readonly string[]
}

export const verb: Verb<[id: string]> = {
  configure(command) {
    command.argument('<id>', 'the project')
  },

  async run(cli, [text]) {
    const id = projectId(text)
    const answer = await askLong<Answer>(cli, 'open', id)
    await cli.out.one(answer, () => [
      `${answer.path}`,
      `  really ${answer.realPath}`,
      ...answer.notes.map((note) => `  ${note}`),
    ])
  },
}
