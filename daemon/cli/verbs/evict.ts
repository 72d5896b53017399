/** `evict`: takes a project out of the pool, once the store is proven to hold all of it. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import type { Verb } from '../cli.ts'

interface Answer {
  readonly freedBytes: string
}

export const verb: Verb<[id: string]> = {
  configure(command) {
    command.argument('<id>', 'the project')
  },

  async run(cli, [text]) {
    const id = projectId(text)
    const answer = await cli.ask<Answer>('POST', `/v1/projects/${id}/evict`)
    await cli.out.one(answer, () => [
      `evicted ${id}: ${humanBytes(BigInt(answer.freedBytes))} are free again`,
    ])
  },
}
