/** `drain`: this host opens nothing more, saves everything and lets it leave the pool, over restarts too. */
import type { Verb } from '../cli.ts'

interface Answer {
  readonly drain: { readonly left: readonly { readonly id: string }[] }
}

export const verb: Verb<[]> = {
  configure() {},

  async run(cli) {
    const answer = await cli.ask<Answer>('POST', '/v1/drain')
    await cli.out.one(answer, () => [
      'this host opens nothing more; everything is saved and leaves the pool: `tidepool status` shows how far it is',
      '`tidepool undrain` has it back',
    ])
  },
}
