/** `place`: on which host a project is best opened, and how long it would take here. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import type { Verb } from '../cli.ts'
import { properties } from '../output.ts'
import { humanDuration } from '../progress.ts'

interface Answer {
  readonly host: string
  readonly name: string
  readonly why: string
  readonly here: {
    readonly streams: number
    readonly bytes: string
    readonly predictedMs: number
    readonly mayOpen: boolean
  }
}

export const verb: Verb<[id: string]> = {
  configure(command) {
    command.argument('<id>', 'the project')
  },

  async run(cli, [text]) {
    const id = projectId(text)
    const answer = await cli.ask<Answer>('GET', `/v1/projects/${id}/place`)
    const { host, name, why, here } = answer
    const work = `${humanBytes(BigInt(here.bytes))} in ${here.streams} streams, about ${humanDuration(here.predictedMs)}`
    await cli.out.one(answer, () =>
      properties([
        ['best on', `${name} (${host}): it ${why}`.replace('it nobody', 'nobody')],
        ['here', here.mayOpen ? work : `not while that host has it; then ${work}`],
      ]),
    )
  },
}
