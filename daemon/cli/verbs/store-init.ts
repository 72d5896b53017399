/** `store init`: makes the store, and says what it did. */
import { receivableFrom } from '../../../pipeline/stream/features.ts'
import type { Verb } from '../cli.ts'

interface Options {
  readonly receivable?: string
}

export const verb: Verb<[], Options> = {
  configure(command) {
    command
      .option(
        '--receivable <features>',
        'refuse streams that use other features than these (a,b,c), or `none`',
      )
      .addHelpText('after', '\nWhat is there already stays as it is: to repeat it does no harm.')
  },

  async run(cli, _arguments, { receivable }) {
    const { initStore } = await import('../../../pipeline/stores/open.ts')
    const done = await initStore(await cli.storeUrl(), {
      env: cli.surroundings.env,
      signal: cli.signal,
      receivable: receivableFrom(receivable ?? 'any') ?? undefined,
    })
    await cli.out.one({ done }, () => done)
  },
}
