/** `ls`: the projects in the pool of this host. */
import type { Cli, Verb } from '../cli.ts'
import { table, toJson } from '../output.ts'
import { humanDuration } from '../progress.ts'

interface Here {
  readonly id: string
  readonly mounted: boolean
  readonly unsavedMs: number | null
  readonly idleMs: number | null
  readonly doing: { readonly what: string } | null
  readonly lastError: string | null
}

export const verb: Verb<[]> = {
  configure() {},

  async run(cli: Cli) {
    const { projects } = await cli.ask<{ projects: readonly Here[] }>('GET', '/v1/projects')
    if (cli.out.json) return cli.out.lines(projects.map((project) => toJson(project)))
    await cli.out.lines(projects.length === 0 ? ['no project is in this pool'] : lines(projects))
  },
}

const ago = (ms: number | null): string => (ms === null ? '-' : humanDuration(ms))

const lines = (projects: readonly Here[]): string[] =>
  table(
    [
      { title: 'PROJECT' },
      { title: 'STATE' },
      { title: 'SAVED UP TO', align: 'right' },
      { title: 'UNUSED FOR', align: 'right' },
      { title: '' },
    ],
    projects.map(({ id, mounted, unsavedMs, idleMs, doing, lastError }) => [
      id,
      mounted ? 'mounted' : 'resident',
      unsavedMs === null ? 'all' : `${ago(unsavedMs)} ago`,
      ago(idleMs),
      doing?.what ?? lastError ?? '',
    ]),
  )
