/** `token create`: makes a token for the API over TCP, and prints it this once. */
import { Option } from 'commander'
import { ROLES } from '../../auth/role.ts'
import type { Verb } from '../cli.ts'
import { localTime } from '../output.ts'
import { parseDuration } from '../units.ts'

interface Options {
  readonly name: string
  readonly role: string
  readonly expires?: string
}

interface Answer {
  readonly name: string
  readonly role: string
  readonly expiresAt: string | null
  readonly secret: string
}

export const verb: Verb<[], Options> = {
  configure(command) {
    command
      .requiredOption('--name <name>', 'whose it is, for logs and for `token rm`')
      .addOption(new Option('--role <role>', 'what it may').choices(ROLES).makeOptionMandatory())
      .option('--expires <duration>', 'from now: 90d (default: never)')
  },

  async run(cli, _arguments, { name, role, expires }) {
    const expiresInMs = expires === undefined ? undefined : parseDuration(expires)
    const answer = await cli.ask<Answer>('POST', '/v1/tokens', {
      name,
      role,
      ...(expiresInMs !== undefined && { expiresInMs }),
    })
    await cli.out.one(answer, () => [answer.secret])
    const until =
      answer.expiresAt === null ? 'does not expire' : `expires ${localTime(Date.parse(answer.expiresAt))}`
    if (!cli.out.json) cli.say(`token ${name} may ${role} and ${until}; it is not shown again`)
  },
}
