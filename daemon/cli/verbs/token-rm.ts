/** `token rm`: makes a token for the API over TCP worthless. */
import type { Verb } from '../cli.ts'

export const verb: Verb<[name: string]> = {
  configure(command) {
    command.argument('<name>', 'of the token')
  },

  async run(cli, [name]) {
    const answer = await cli.ask('DELETE', `/v1/tokens/${encodeURIComponent(name)}`)
    await cli.out.one(answer, () => [`removed the token ${name}`])
  },
}
