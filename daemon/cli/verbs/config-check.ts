/** `config check`: reads a configuration as the daemon would, and says what is wrong and on which line. */
import type { Verb } from '../cli.ts'

export const verb: Verb<[file: string | undefined]> = {
  configure(command) {
    command.argument('[file]', 'the configuration', '/etc/tidepool/tidepool.yaml')
  },

  async run(cli, [file = '']) {
    const { readConfig } = await import('../../config/read.ts')
    const config = await readConfig(file)
    await cli.out.one(config, () => [`${file} is right: ${config.dataset} in front of ${config.store}`])
  },
}
