/** `config example`: prints a configuration with every key, what it means and its default. */
import type { Verb } from '../cli.ts'

export const verb: Verb<[]> = {
  configure() {},

  async run(cli) {
    const { exampleConfig } = await import('../../config/example.ts')
    await cli.out.write(exampleConfig())
  },
}
