/** `doctor`: what this machine has and lacks for serving projects, each with what mends it. Needs no daemon. */

import { configFileOf, type Verb } from '../cli.ts'
import { counted } from '../output.ts'

interface Options {
  readonly config?: string
}

const WORDS = { ok: 'OK', warn: 'WARN', fail: 'FAIL', skipped: '-' } as const

export const verb: Verb<[], Options> = {
  configure(command) {
    command
      .option('--config <file>', 'of the daemon that is meant (default: TIDEPOOL_CONFIG, or its usual place)')
      .addHelpText(
        'after',
        '\nIt ends with 0 where all is well, 1 where something wants to be looked at, 2 where something fails.',
      )
  },

  async run(cli, _arguments, options) {
    const { checks } = await import('../../doctor/checks.ts')
    const { examine, exitOf } = await import('../../doctor/examine.ts')
    const { thisMachine } = await import('../../doctor/this-machine.ts')
    const { env } = cli.surroundings
    const machine = await thisMachine({
      configFile: options.config ?? configFileOf(env),
      env,
      signal: cli.signal,
    })
    try {
      const lines = await examine(machine.world, checks, { signal: cli.signal })
      const width = Math.max(...lines.map(({ check }) => check.length))
      const bad = lines.filter(({ verdict }) => verdict === 'warn' || verdict === 'fail').length
      await cli.out.one({ lines }, () => [
        ...lines.flatMap(({ check, verdict, found, mend }) => [
          `${WORDS[verdict].padEnd(4)}  ${check.padEnd(width)}  ${found}`,
          ...(mend === undefined ? [] : [`${' '.repeat(width + 8)}${mend}`]),
        ]),
        bad === 0 ? 'all is well' : `${counted(bad, 'thing')} to look at`,
      ])
      return exitOf(lines)
    } finally {
      await machine.close()
    }
  },
}
