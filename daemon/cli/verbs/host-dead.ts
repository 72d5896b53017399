/** `host dead`: a person's word that a silent host is off for good, so that others may have its projects. */
import type { Verb } from '../cli.ts'

export const verb: Verb<[host: string]> = {
  configure(command) {
    command
      .argument('<host>', 'its id, as `tidepool host ls` lists it')
      .addHelpText(
        'after',
        '\nOnly where `takeover: ask` is configured does anybody wait for this. A host that was alive after all finds its saves refused.',
      )
  },

  async run(cli, [host]) {
    const answer = await cli.ask<{ name: string; state: string }>(
      'POST',
      `/v1/hosts/${encodeURIComponent(host)}/dead`,
    )
    await cli.out.one(answer, () => [`host ${host} (${answer.name}) is ${answer.state}`])
  },
}
