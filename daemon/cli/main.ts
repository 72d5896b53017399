/** The command `tidepool`: finds the verb, runs it, and tells by exit code and one message how it ended. */
import { Command, CommanderError } from 'commander'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { Cli, type Surroundings } from './cli.ts'
import { describeFailure, EXIT, EXIT_CODES, exitCodeOf } from './exit.ts'
import { version } from './package.ts'
import { groups } from './verbs.ts'

const HELP = `
A store is written as
  dir:/path
  cassandra://host1,host2:9042/keyspace?dc=dc1[&rf=dc1:3][&mode=home:dc1|global][&tls=ca.pem][&user=name]
and its password comes from TIDEPOOL_CASSANDRA_PASSWORD or the file that TIDEPOOL_CASSANDRA_PASSWORD_FILE names.

${EXIT_CODES}`

/** Runs one command line, without the program's name, and resolves with its exit code. Never rejects. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { stderr, env, signal } = surroundings
  let text = ''
  let code: number = EXIT.ok
  const program = new Command('tidepool')
    .description('Keeps the ZFS streams of many projects in one store.')
    .option('--store <url>', 'the store (default: TIDEPOOL_STORE, or that of the daemon’s configuration)')
    .option('--socket <path>', 'where the daemon listens (default: TIDEPOOL_SOCKET, or its usual place)')
    .option('--url <url>', 'of a daemon elsewhere: https://host:port (default: TIDEPOOL_URL)')
    .option('--token-file <file>', 'with the token for it (default: TIDEPOOL_TOKEN_FILE)')
    .option('--ca-file <file>', 'certificates to believe there (default: TIDEPOOL_CA_FILE, or the system’s)')
    .option('--json', 'for machines: one object, or one a line for lists')
    .version(version(), '-V, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (part) => {
        text += part
      },
      writeErr: () => {},
    })
    .showHelpAfterError(false)
    .addHelpText('after', HELP)
  for (const group of groups) {
    const parent = program.command(group.name).description(group.about)
    if (group.load) prepare(parent, group.load)
    for (const { name, about, load } of group.verbs ?? [])
      prepare(parent.command(name).description(about), load)
  }

  /** A verb's file is read when its verb is called (or its help), so that a short command does not load them all. */
  function prepare(command: Command, load: (typeof groups)[number]['load'] & {}): void {
    command.parent?.hook('preSubcommand', async (_parent, chosen) => {
      if (chosen !== command) return
      const verb = await load()
      verb.configure(command)
      command.addHelpText('after', `\n${EXIT_CODES}`)
      command.action(async () => {
        const cli = new Cli(surroundings, program.opts())
        code = (await verb.run(cli, command.processedArgs, command.opts())) ?? EXIT.ok
      })
    })
  }

  const json = argv.includes('--json')
  try {
    signal.throwIfAborted()
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) code = EXIT.ok
    else {
      const failure = error instanceof CommanderError ? usageError(error, argv) : error
      code = exitCodeOf(failure, signal)
      stderr.write(describeFailure(failure, { json, debug: env.TIDEPOOL_DEBUG === '1' }))
    }
  }
  if (text !== '') await new Cli(surroundings, {}).out.write(text).catch(() => {})
  return code
}

function usageError(error: CommanderError, argv: readonly string[]): TidepoolError {
  const words = argv.filter((word) => /^[a-z]+$/.test(word)).slice(0, 2)
  const known = groups.find(({ name }) => name === words[0])
  const verb = known?.verbs?.find(({ name }) => name === words[1])
  const command = ['tidepool', known?.name, verb?.name].filter((word) => word !== undefined).join(' ')
  const message =
    error.code === 'commander.help' ? 'a command is missing' : error.message.replace(/^error: /, '')
  return new TidepoolError('bad-usage', message, { hint: `\`${command} --help\` shows how it is called.` })
}

/** After Ctrl-C everything is ended in order, but not for ever. */
const ENDING_LIMIT_MS = 45_000
/** What ends sooner needs no word about it. */
const ENDING_TOLD_MS = 300

/** The process itself: its streams, its signals, its exit code. */
export async function main(): Promise<void> {
  const interrupted = new AbortController()
  const onSignal = (): void => {
    if (interrupted.signal.aborted) process.exit(EXIT.interrupted)
    const told = setTimeout(() => {
      process.stderr.write('\ntidepool: interrupted: ending what was begun (once more ends at once)\n')
    }, ENDING_TOLD_MS)
    if (process.stderr.isTTY) told.unref()
    else clearTimeout(told)
    interrupted.abort(new TidepoolError('interrupted', 'interrupted'))
    setTimeout(() => {
      process.stderr.write('tidepool: it did not end in time: `tidepool scrub --delete` cleans up after it\n')
      process.exit(EXIT.interrupted)
    }, ENDING_LIMIT_MS).unref()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  const { stdin, stdout, stderr, env } = process
  process.exitCode = await run(process.argv.slice(2), {
    stdin,
    stdout,
    stderr,
    env,
    signal: interrupted.signal,
    onHangup: (act) => {
      process.off('SIGHUP', onSignal)
      process.on('SIGHUP', act)
    },
  })
}
