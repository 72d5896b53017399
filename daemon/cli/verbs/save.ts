/** `save`: sends to the store what it has not of a project. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import { askLong } from '../ask-long.ts'
import type { Verb } from '../cli.ts'

interface Answer {
  readonly kind: 'saved' | 'unchanged'
  readonly point: string
  readonly bytes: string
  readonly placement: string
}

/** What was saved and is not what the project is elsewhere. */
const beside = (placement: string): string =>
  placement === 'side' ? ', beside the head: see its history' : ''

export const verb: Verb<[id: string]> = {
  configure(command) {
    command.argument('<id>', 'the project')
  },

  async run(cli, [text]) {
    const id = projectId(text)
    const answer = await askLong<Answer>(cli, 'save', id)
    await cli.out.one(answer, () => [
      answer.kind === 'unchanged'
        ? `${id} is saved already: point ${answer.point}`
        : `saved ${id}: ${humanBytes(BigInt(answer.bytes))}, point ${answer.point}${beside(answer.placement)}`,
    ])
  },
}
