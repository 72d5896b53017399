/** `why`: why a project is as it is, and what helps. 0 where nothing is wrong, else 1. */
import { projectId } from '../../../pipeline/base/ids.ts'
import type { Finding } from '../../control/why.ts'
import type { Verb } from '../cli.ts'

const MARKS = { wrong: '!', waiting: '…', fine: ' ' }

export const verb: Verb<[id: string]> = {
  configure(command) {
    command.argument('<id>', 'the project').addHelpText('after', '\nExits with 1 where something is wrong.')
  },

  async run(cli, [text]) {
    const id = projectId(text)
    const answer = await cli.ask<{ findings: readonly Finding[] }>('GET', `/v1/projects/${id}/why`)
    await cli.out.one(answer, () =>
      answer.findings.flatMap(({ kind, text: line, hint }) => [
        `${MARKS[kind]} ${line}`,
        ...(hint === undefined ? [] : [`    ${hint}`]),
      ]),
    )
    return answer.findings.some(({ kind }) => kind === 'wrong') ? 1 : 0
  },
}
