/** `stream ls`: the projects of a store, or the writes of one project. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import { readProject } from '../../../pipeline/graph/settle.ts'
import type { Project, WriteRow } from '../../../pipeline/graph/state.ts'
import type { Catalogue, ProjectHint } from '../../../pipeline/stores/contract.ts'
import type { Cli, Verb } from '../cli.ts'
import { localTime, table, toJson } from '../output.ts'
import { writeJson } from '../write-json.ts'

interface Options {
  readonly all?: boolean
}

export const verb: Verb<[project: string | undefined], Options> = {
  configure(command) {
    command
      .argument('[project]', 'list its writes instead of all projects')
      .option('--all', 'also writes that have ended and can no longer be read')
  },

  async run(cli, [name], options) {
    await cli.withStore(async ({ store: { catalogue } }) => {
      if (name === undefined) return listProjects(cli, catalogue)
      const project = await readProject(catalogue, projectId(name), { signal: cli.signal })
      await listWrites(cli, project, options.all === true)
    })
  },
}

/** Rows are printed so many at a time: columns are as wide as in the part at hand, and memory stays flat. */
const PAGE = 1000

async function listProjects(cli: Cli, catalogue: Catalogue): Promise<void> {
  let page: ProjectHint[] = []
  const flush = async (): Promise<void> => {
    await cli.out.lines(cli.out.json ? page.map(projectJson) : projectTable(page))
    page = []
  }
  let seen = 0
  for await (const project of catalogue.projects({ signal: cli.signal })) {
    seen++
    if (page.push(project) === PAGE) await flush()
  }
  if (page.length > 0) await flush()
  if (seen === 0 && !cli.out.json) await cli.out.lines(['no projects'])
}

const projectJson = ({ id, life, head, owner }: ProjectHint): string =>
  toJson({ project: id, state: life, head, owner })

function projectTable(projects: readonly ProjectHint[]): string[] {
  return table(
    [{ title: 'PROJECT' }, { title: 'STATE' }, { title: 'HEAD' }, { title: 'OWNER' }],
    projects.map(({ id, life, head, owner }) => [id, life, head ?? '-', owner ?? '-']),
  )
}

const READABLE = new Set(['writing', 'committed', 'superseded'])

async function listWrites(cli: Cli, project: Project, all: boolean): Promise<void> {
  const rows = [...project.rows.values()]
    .filter((row) => all || READABLE.has(row.state))
    .sort((a, b) => a.begunAtMs - b.begunAtMs || (a.writeId < b.writeId ? -1 : 1))
  if (cli.out.json) return cli.out.lines(rows.map((row) => toJson(writeJson(project, row))))
  await cli.out.lines(rows.length === 0 ? [`no writes in ${project.id}`] : writeTable(project, rows))
}

function writeTable({ statics: { head } }: Project, rows: readonly WriteRow[]): string[] {
  return table(
    [
      { title: 'WRITE' },
      { title: 'STATE' },
      { title: 'FROM', align: 'right' },
      { title: 'TO', align: 'right' },
      { title: 'SNAPSHOT' },
      { title: 'BEGUN' },
      { title: 'SIZE', align: 'right' },
      { title: '' },
    ],
    rows.map((row) => [
      row.writeId,
      row.state,
      row.from ?? '-',
      row.to,
      row.manifest?.stream.toName ?? '-',
      localTime(row.begunAtMs),
      row.manifest ? humanBytes(row.manifest.bytes) : '-',
      row.state === 'committed' && row.to === head ? 'head' : '',
    ]),
  )
}
