/** `completion`: what a shell needs to complete verbs, options and projects. */
import { Writable } from 'node:stream'
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import type { Cli, Verb } from '../cli.ts'

/** As long as somebody who pressed a key may be kept. */
const ASK_LIMIT_MS = 1000
const USUAL_SOCKET = '/run/tidepool/tidepool.sock'

export const verb: Verb<[shell: string]> = {
  configure(command) {
    command.argument('<shell>', 'bash, zsh or fish; each says in its first line how it is read')
  },

  async run(cli, [shell]) {
    if (shell === 'words') return answer(cli)
    const { SCRIPTS } = await import('../../completion/scripts.ts')
    const script = SCRIPTS[shell]
    if (script === undefined)
      throw new TidepoolError('bad-value', `${JSON.stringify(shell)} is no shell that completion knows`, {
        hint: `It is one of ${Object.keys(SCRIPTS).join(', ')}.`,
      })
    await cli.out.write(script)
    return 0
  },
}

/** For the scripts: whatever goes wrong, nothing is said into the line that somebody is typing. */
async function answer(cli: Cli): Promise<number> {
  const { complete } = await import('../../completion/complete.ts')
  const { groups } = await import('../verbs.ts')
  const words = (cli.surroundings.env.TIDEPOOL_WORDS ?? '').split('\n')
  const { found, files } = await complete(words, {
    groups,
    help: (verb) => helpOf(cli, verb),
    projects: () => projects(cli).catch(() => []),
  })
  await cli.out.lines(files ? [':files'] : found)
  return 0
}

async function helpOf(cli: Cli, words: readonly string[]): Promise<string> {
  const { run } = await import('../main.ts')
  let text = ''
  const stdout = new Writable({
    write(part: Buffer, _encoding, done) {
      text += part
      done()
    },
  })
  await run([...words, '--help'], { ...cli.surroundings, stdout, stderr: stdout })
  return text
}

/** Those in the pool of this host, from what the daemon knows: to list them opens none. */
async function projects(cli: Cli): Promise<readonly string[]> {
  const { Client } = await import('../../client/client.ts')
  const socket = cli.surroundings.env.TIDEPOOL_SOCKET ?? USUAL_SOCKET
  const client = new Client({ socket, limitMs: ASK_LIMIT_MS })
  const told = await client.call<{ projects: readonly { id: string }[] }>('GET', '/v1/projects', {
    signal: cli.signal,
  })
  return told.projects.map(({ id }) => id)
}
