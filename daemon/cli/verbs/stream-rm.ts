/** `stream rm`: takes one write out of the store, as long as no point that is kept needs it. */
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import { keptPoints, neededWrites } from '../../../pipeline/graph/needed.ts'
import { cheapestPaths } from '../../../pipeline/graph/plan.ts'
import { bytesOf, removeEnded } from '../../../pipeline/graph/removal.ts'
import { readProject, settle } from '../../../pipeline/graph/settle.ts'
import type { Project, WriteRow } from '../../../pipeline/graph/state.ts'
import type { Transaction } from '../../../pipeline/graph/transaction.ts'
import { markDeleting, supersedeWrites } from '../../../pipeline/graph/transitions/removal.ts'
import type { CallOptions, Catalogue, Store } from '../../../pipeline/stores/contract.ts'
import type { Verb } from '../cli.ts'
import { type FoundWrite, findWrite } from '../find.ts'

interface Options {
  readonly project?: string
  readonly dryRun?: boolean
}

export const verb: Verb<[write: string], Options> = {
  configure(command) {
    command
      .argument(
        '<write>',
        'PROJECT/ID, or an id alone; the beginning of an id will do where it is the only one',
      )
      .option('--project <id>', 'look for the id only there')
      .option('--dry-run', 'only say whether it would go, and what that frees')
      .addHelpText(
        'after',
        `
Refused while a kept point needs it: \`tidepool stream graph PROJECT\` shows which do. It goes at once, without the day
of grace that \`tidepool scrub\` gives to those who are just reading it.`,
      )
  },

  async run(cli, [write], { dryRun = false, ...where }) {
    await cli.withStore(async ({ store }) => {
      const found = await findWrite(store.catalogue, write, { ...where, signal: cli.signal })
      const { project, row } = found
      if (dryRun) refuseToRemove(project, row)
      else await removeWrite(store, found, { signal: cli.signal })
      const bytes = bytesOf(row)
      const answer = { writeId: row.writeId, project: project.id, was: row.state, bytes, removed: !dryRun }
      await cli.out.one(answer, () => [
        row.state === 'deleted'
          ? `write ${row.writeId} of ${project.id} had gone already`
          : `${dryRun ? 'would remove' : 'removed'} write ${row.writeId} of ${project.id} (${row.state}, ${humanBytes(bytes)})`,
      ])
    })
  },
}

/** How often others may change the project in between. */
const TRIES = 20

/** Each step is one transaction, so that a crash between two leaves what scrub goes on with. */
async function removeWrite(store: Store, found: FoundWrite, options: CallOptions): Promise<void> {
  const { catalogue } = store
  let { project } = found
  for (let tries = 0; tries < TRIES; tries++) {
    const row = project.rows.get(found.row.writeId)
    if (!row || row.state === 'deleted') return
    if (row.state === 'aborted' || row.state === 'deleting') {
      await removeEnded(store, project.id, row, options)
      return
    }
    const step = await nextStep(catalogue, project, row, options)
    await settle(catalogue, project, step, options)
    project = await readProject(catalogue, project.id, options)
  }
  throw new TidepoolError('project-busy', `project ${project.id} changed ${TRIES} times meanwhile`, {
    temporary: true,
    hint: 'Try again later.',
  })
}

async function nextStep(
  catalogue: Catalogue,
  project: Project,
  row: WriteRow,
  options: CallOptions,
): Promise<Transaction> {
  refuseToRemove(project, row)
  const nowMs = await catalogue.nowMs(options)
  return row.state === 'committed'
    ? supersedeWrites(project, [row], nowMs)
    : markDeleting(project, [row], nowMs)
}

function refuseToRemove(project: Project, row: WriteRow): void {
  if (row.state === 'writing')
    throw new TidepoolError(
      'write-not-ended',
      `write ${row.writeId} of ${project.id} is still being written`,
      {
        hint: 'Wait until it is committed; if whoever writes it is gone, `tidepool scrub --delete` ends it.',
      },
    )
  if (row.state === 'committed' && neededWrites(project).has(row.writeId)) throw needed(project, row)
}

function needed(project: Project, row: WriteRow): TidepoolError {
  const paths = cheapestPaths(project.rows.values())
  const points = [...keptPoints(project, paths)]
    .filter(([point]) => paths.to(point)?.some(({ writeId }) => writeId === row.writeId))
    .map(([point, why]) => ({ point, why }))
  const some = points.slice(0, 3).map(({ point, why }) => `${point} (${why})`)
  const more = points.length > some.length ? ` and ${points.length - some.length} more` : ''
  return new TidepoolError(
    'write-needed',
    `write ${row.writeId} of ${project.id} is needed: it leads to ${some.join(', ')}${more}`,
    {
      hint: `\`tidepool stream graph ${project.id}\` shows what is kept; what is no longer kept is cleaned up by \`tidepool scrub --delete\`.`,
      facts: { points },
    },
  )
}
