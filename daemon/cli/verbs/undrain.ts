/** `undrain`: this host opens projects again. */
import type { Verb } from '../cli.ts'

export const verb: Verb<[]> = {
  configure() {},

  async run(cli) {
    const answer = await cli.ask('POST', '/v1/undrain')
    await cli.out.one(answer, () => ['this host opens projects again'])
  },
}
