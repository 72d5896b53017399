/** `put-away`: saves everything before the host goes down, and says what could not be saved in time. */
import type { Verb } from '../cli.ts'
import { counted } from '../output.ts'
import { parseDuration } from '../units.ts'

interface Options {
  readonly within: string
}

interface Answer {
  readonly saved: number
  readonly notSaved: readonly { readonly id: string; readonly why: string }[]
}

const NOT_ALL = 1

export const verb: Verb<[], Options> = {
  configure(command) {
    command.option('--within <duration>', 'what is not saved by then is named', '80s')
  },

  async run(cli, _arguments, { within }) {
    const answer = await cli.ask<Answer>('POST', '/v1/put-away', { withinMs: parseDuration(within) })
    const { saved, notSaved } = answer
    for (const { id, why } of notSaved) cli.say(`${id} is not saved: ${why}`)
    await cli.out.one(answer, () => [
      `saved ${counted(saved, 'project')}${notSaved.length > 0 ? `, ${notSaved.length} are not saved` : ''}`,
    ])
    return notSaved.length > 0 ? NOT_ALL : 0
  },
}
