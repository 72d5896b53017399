/** `stream verify`: reads committed writes and compares every byte, or a sample, with what was stored. */
import { randomUUID } from 'node:crypto'
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { projectId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import { readProject } from '../../../pipeline/graph/settle.ts'
import type { Project } from '../../../pipeline/graph/state.ts'
import { findingsOf, type WriteReport } from '../../../pipeline/scrub/report.ts'
import { verifyWrite } from '../../../pipeline/scrub/verify.ts'
import type { CallOptions, Catalogue } from '../../../pipeline/stores/contract.ts'
import type { Cli, Verb } from '../cli.ts'
import { EXIT } from '../exit.ts'
import { type FoundWrite, findWrite } from '../find.ts'
import { counted, toJson } from '../output.ts'
import { Progress } from '../progress.ts'
import { parseShare } from '../units.ts'

interface Options {
  readonly project?: string
  readonly write?: string
  readonly all?: boolean
  readonly sample?: string
  readonly seed?: string
}

export const verb: Verb<[], Options> = {
  configure(command) {
    command
      .option('--project <id>', 'every committed write of that project')
      .option('--write <id>', 'that write alone')
      .option('--all', 'every committed write of the store')
      .option(
        '--sample <share>',
        'read so much of the chunks, as 5%; of the rest only see that they are there',
      )
      .option('--seed <text>', 'take the same sample again that was taken with this')
  },

  async run(cli, _arguments, options) {
    const chosen = [options.project, options.write, options.all].filter((option) => option !== undefined)
    if (chosen.length !== 1)
      throw new TidepoolError(
        'bad-usage',
        'what is to be verified is said by one of --write, --project, --all',
        {
          hint: '`tidepool stream verify --write ID` reads one write.',
        },
      )
    const sample = options.sample === undefined ? 1 : parseShare(options.sample)
    const seed = options.seed ?? randomUUID()
    return cli.withStore(async ({ store, limiter }) => {
      const total = { writes: 0, damaged: 0, chunks: 0, bytes: 0n }
      for await (const { project, row } of chosenWrites(store.catalogue, options, cli.signal)) {
        const { stderr } = cli.surroundings
        const size = sample === 1 ? row.manifest?.bytes : undefined
        const progress = new Progress(`verify ${project.id}`, size, { stderr, clock: cli.clock, limiter })
        let report: WriteReport
        try {
          report = await verifyWrite(store, project.id, row, {
            sample,
            seed,
            limiter,
            signal: cli.signal,
            onProgress: ({ bytes }) => progress.update(bytes),
          })
        } finally {
          progress.end()
        }
        total.writes++
        total.chunks += report.chunkCount
        total.bytes += report.bytes
        if (report.outcome === 'damaged') total.damaged++
        await tell(cli, { project, row }, report)
      }
      const summary = { ...total, sample, seed }
      await cli.out.lines(cli.out.json ? [toJson({ summary })] : [sentence(summary, options.sample)])
      return total.damaged > 0 ? EXIT.damageFound : EXIT.ok
    })
  },
}

async function* chosenWrites(
  catalogue: Catalogue,
  options: Options,
  signal: AbortSignal,
): AsyncGenerator<FoundWrite> {
  if (options.write !== undefined) yield committed(await findWrite(catalogue, options.write, { signal }))
  else for await (const project of chosenProjects(catalogue, options, { signal })) yield* writesOf(project)
}

async function* chosenProjects(
  catalogue: Catalogue,
  options: Options,
  call: CallOptions,
): AsyncGenerator<Project> {
  if (options.project !== undefined) yield await readProject(catalogue, projectId(options.project), call)
  else
    for await (const { id } of catalogue.projects(call)) {
      const project = await catalogue.read(id, call)
      if (project && ['live', 'destroyed'].includes(project.statics.life)) yield project
    }
}

function* writesOf(project: Project): Generator<FoundWrite> {
  for (const row of project.rows.values()) if (row.state === 'committed') yield { project, row }
}

function committed(found: FoundWrite): FoundWrite {
  const { project, row } = found
  if (row.state === 'committed') return found
  throw new TidepoolError('write-not-committed', `write ${row.writeId} of ${project.id} is ${row.state}`, {
    hint: 'Only committed writes promise their bytes.',
  })
}

async function tell(cli: Cli, { project, row }: FoundWrite, report: WriteReport): Promise<void> {
  if (cli.out.json) {
    const { outcome, missing, damaged, lateCount, rootDiffers, unreadable, chunkCount, bytes } = report
    await cli.out.lines([
      toJson({
        writeId: row.writeId,
        project: project.id,
        outcome,
        chunks: chunkCount,
        bytes,
        missing,
        damaged,
        lateCount,
        rootDiffers,
        unreadable,
      }),
    ])
    return
  }
  for (const finding of findingsOf(project.id, row, report))
    await cli.out.lines([finding.message, ...(finding.hint === undefined ? [] : [`  ${finding.hint}`])])
}

interface Total {
  readonly writes: number
  readonly damaged: number
  readonly chunks: number
  readonly bytes: bigint
  readonly seed: string
}

function sentence({ writes, damaged, chunks, bytes, seed }: Total, sample: string | undefined): string {
  const read = `${counted(writes, 'write')}, ${counted(chunks, 'chunk')}, ${humanBytes(bytes)} read`
  const part = sample === undefined ? '' : ` (a sample of ${sample}, seed ${seed})`
  return `${read}${part}: ${damaged === 0 ? 'all whole' : `${damaged} damaged`}`
}
