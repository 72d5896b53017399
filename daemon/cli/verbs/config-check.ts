/** `config check`: reads a configuration as the daemon would, and says what is wrong and on which line. */
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { configFileOf, type Verb } from '../cli.ts'
import { counted } from '../output.ts'

export const verb: Verb<[file: string | undefined]> = {
  configure(command) {
    command.argument('[file]', 'the configuration (default: TIDEPOOL_CONFIG, or its usual place)')
  },

  async run(cli, [given]) {
    const { readConfig } = await import('../../config/read.ts')
    const file = given ?? configFileOf(cli.surroundings.env)
    try {
      const config = await readConfig(file)
      await cli.out.one(config, () => [`${file} is right: ${config.dataset} in front of ${config.store}`])
    } catch (error) {
      throw cli.out.json ? error : eachOnItsLine(error, file)
    }
  },
}

/** Many mistakes in one line are read by nobody. */
function eachOnItsLine(error: unknown, file: string): unknown {
  if (!(error instanceof TidepoolError)) return error
  const mistakes = error.facts.mistakes as readonly string[] | undefined
  if (mistakes === undefined || mistakes.length < 2) return error
  const lines = [`${file} has ${counted(mistakes.length, 'mistake')}`, ...mistakes]
  return new TidepoolError('bad-config', lines.join('\n  '), {
    cause: error,
    ...(error.hint !== undefined && { hint: error.hint }),
    facts: error.facts,
  })
}
