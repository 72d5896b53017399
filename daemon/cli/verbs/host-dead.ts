/** `host dead`: a person's word that a silent host is off for good, so that others may have its projects. */
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import type { Verb } from '../cli.ts'

interface Hosts {
  readonly hosts: readonly { readonly host: string; readonly name: string }[]
}

export const verb: Verb<[host: string]> = {
  configure(command) {
    command
      .argument('<host>', 'its id or its name, as `tidepool host ls` lists it')
      .addHelpText(
        'after',
        '\nOnly where `takeover: ask` is configured does anybody wait for this. A host that was alive after all finds its saves refused.',
      )
  },

  async run(cli, [text]) {
    const { hosts } = await cli.ask<Hosts>('GET', '/v1/hosts')
    const id = theOne(text, hosts)
    const answer = await cli.ask<{ name: string; state: string }>('POST', `/v1/hosts/${id}/dead`)
    await cli.out.one(answer, () => [`host ${id} (${answer.name}) is ${answer.state}`])
  },
}

/** One that is named may not be another than the one that was meant. */
function theOne(text: string, hosts: Hosts['hosts']): string {
  const meant = hosts.filter(({ host, name }) => host === text || name === text)
  const [one, another] = meant
  if (one && !another) return one.host
  const ids = meant.map(({ host }) => host).join(', ')
  throw one
    ? new TidepoolError('host-ambiguous', `several hosts of this store are called ${text}`, {
        hint: `Give the id of one: ${ids}.`,
      })
    : new TidepoolError('host-unknown', `no host of this store has the id or name ${JSON.stringify(text)}`, {
        hint: '`tidepool host ls` lists them.',
      })
}
