/** `host ls`: the hosts that share the store. */
import type { Verb } from '../cli.ts'
import { table, toJson } from '../output.ts'
import { humanDuration } from '../progress.ts'

interface Host {
  readonly host: string
  readonly name: string
  readonly state: string
  readonly isThis: boolean
  readonly looksDead: boolean
  readonly silentMs: number
}

export const verb: Verb = {
  configure() {},

  async run(cli) {
    const { hosts } = await cli.ask<{ hosts: readonly Host[] }>('GET', '/v1/hosts')
    if (cli.out.json) return cli.out.lines(hosts.map((host) => toJson(host)))
    await cli.out.lines(
      table(
        [{ title: 'HOST' }, { title: 'NAME' }, { title: 'STATE' }],
        hosts.map(({ host, name, ...one }) => [host, name, stateOf(one)]),
      ),
    )
  },
}

function stateOf({ state, isThis, looksDead, silentMs }: Omit<Host, 'host' | 'name'>): string {
  if (isThis) return `${state}, this one`
  return looksDead ? `${state}, but silent for ${humanDuration(silentMs)}` : state
}
