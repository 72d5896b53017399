/** `evict`: takes a project out of the pool, once the store is proven to hold all of it. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import { askLong } from '../ask-long.ts'
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
    const answer = await askLong<Answer>(cli, 'evict', id)
    await cli.out.one(answer, () => [
      `evicted ${id}: ${humanBytes(BigInt(answer.freedBytes))} are free again`,
    ])
  },
}
