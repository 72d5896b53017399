/** `config reload`: the daemon reads its configuration again, and says what needs a restart. */
import type { Verb } from '../cli.ts'

interface Answer {
  readonly changed: readonly string[]
  readonly needRestart: readonly string[]
}

export const verb: Verb<[]> = {
  configure() {},

  async run(cli) {
    const answer = await cli.ask<Answer>('POST', '/v1/config/reload')
    const { changed, needRestart } = answer
    await cli.out.one(answer, () => [
      changed.length > 0 ? `in force now: ${changed.join(', ')}` : 'nothing has changed that is in force now',
      ...(needRestart.length > 0 ? [`need a restart: ${needRestart.join(', ')}`] : []),
    ])
  },
}
