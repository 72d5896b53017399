/** `quota`: what a project may take. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import type { Verb } from '../cli.ts'
import { parseSize } from '../units.ts'

interface Answer {
  readonly quotaBytes: string | null
}

export const verb: Verb<[id: string, size: string | undefined]> = {
  configure(command) {
    command
      .argument('<id>', 'the project')
      .argument('[size]', '512M, 10G, or `none` for no limit; without it the quota is only told')
  },

  async run(cli, [text, size]) {
    const id = projectId(text)
    const quotaBytes = size === undefined || size === 'none' ? null : String(parseSize(size))
    const answer =
      size === undefined
        ? await cli.ask<Answer>('GET', `/v1/projects/${id}`)
        : await cli.ask<Answer>('PUT', `/v1/projects/${id}/quota`, { quotaBytes })
    const told =
      answer.quotaBytes === null ? 'no quota' : `a quota of ${humanBytes(BigInt(answer.quotaBytes))}`
    await cli.out.one(answer, () => [`${id} has ${told}`])
  },
}
