/** `token ls`: the tokens for the API over TCP, without their secrets. */
import type { Verb } from '../cli.ts'
import { localTime, table, toJson } from '../output.ts'

interface Token {
  readonly name: string
  readonly role: string
  readonly createdAt: string
  readonly expiresAt: string | null
}

export const verb: Verb = {
  configure() {},

  async run(cli) {
    const { tokens } = await cli.ask<{ tokens: readonly Token[] }>('GET', '/v1/tokens')
    if (cli.out.json) return cli.out.lines(tokens.map((token) => toJson(token)))
    await cli.out.lines(tokens.length === 0 ? ['there is no token'] : lines(tokens))
  },
}

const lines = (tokens: readonly Token[]): string[] =>
  table(
    [{ title: 'NAME' }, { title: 'ROLE' }, { title: 'CREATED' }, { title: 'EXPIRES' }],
    tokens.map(({ name, role, createdAt, expiresAt }) => [
      name,
      role,
      localTime(Date.parse(createdAt)),
      expiresAt === null ? 'never' : localTime(Date.parse(expiresAt)),
    ]),
  )
