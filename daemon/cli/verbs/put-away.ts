/** `put-away`: saves everything before the host goes down, and says what could not be saved in time. */
import type { Client } from '../../client/client.ts'
import type { Cli, Verb } from '../cli.ts'
import { counted } from '../output.ts'
import { parseDuration } from '../units.ts'

interface Options {
  readonly within: string
  readonly config?: string
}

interface Answer {
  readonly saved: number
  readonly notSaved: readonly { readonly id: string; readonly why: string }[]
}

const NOT_ALL = 1

export const verb: Verb<[], Options> = {
  configure(command) {
    command
      .option('--within <duration>', 'what is not saved by then is named', '80s')
      .option('--config <file>', 'of the daemon: it listens where that says, and not in its usual place')
  },

  async run(cli, _arguments, { within, config }) {
    const client = config === undefined ? await cli.client() : await configured(cli, config)
    const body = { withinMs: parseDuration(within) }
    const answer = await client.call<Answer>('POST', '/v1/put-away', { body, signal: cli.signal })
    const { saved, notSaved } = answer
    for (const { id, why } of notSaved) cli.say(`${id} is not saved: ${why}`)
    await cli.out.one(answer, () => [
      `saved ${counted(saved, 'project')}${notSaved.length > 0 ? `, ${notSaved.length} are not saved` : ''}`,
    ])
    return notSaved.length > 0 ? NOT_ALL : 0
  },
}

/** A configuration that is wrong by now keeps no daemon from its last saves: that runs with an older one. */
async function configured(cli: Cli, file: string): Promise<Client> {
  const { readConfig } = await import('../../config/read.ts')
  const { socketOf } = await import('../../config/sockets.ts')
  try {
    const socket = socketOf(await readConfig(file))
    const { Client } = await import('../../client/client.ts')
    return new Client({ socket })
  } catch (error) {
    cli.warn('the daemon is asked in its usual place', error)
    return cli.client()
  }
}
