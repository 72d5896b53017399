/** `changes`: what has changed in a project since one of its points. */
import { treeChanges } from '../../../native/tree/changes.ts'
import { codeOf, TidepoolError } from '../../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../../pipeline/base/ids.ts'
import { textOfName } from '../../../pipeline/base/text.ts'
import type { Cli, Verb } from '../cli.ts'
import { momentOf } from '../moments.ts'
import { toJson } from '../output.ts'
import { withPoint } from '../with-point.ts'

interface Options {
  readonly since?: string
  readonly point?: string
}

interface Change {
  readonly change: 'added' | 'removed' | 'modified' | 'renamed'
  readonly kind: string
  readonly path: string
  readonly from?: string
}

interface Changes {
  readonly point: string
  readonly truncated: boolean
  readonly changes: readonly Change[]
}

const MARKS = { added: '+', removed: '-', modified: 'M', renamed: 'R' }

export const verb: Verb<[id: string], Options> = {
  configure(command) {
    command
      .argument('<id>', 'the project')
      .option(
        '--since <time>',
        'the newest point at or before this time: 2026-11-27T10:00, or 2h for so long ago',
      )
      .option('--point <guid>', 'a point by its GUID instead')
      .addHelpText('after', '\n+ added, - removed, M modified, R renamed; folders end with a slash.')
  },

  async run(cli, [text], { since, point }) {
    const id = projectId(text)
    if ((since === undefined) === (point === undefined))
      throw new TidepoolError('bad-usage', 'give --since or --point', {
        hint: `\`tidepool snapshots ${id}\` lists the points.`,
      })
    const at = since === undefined ? undefined : momentOf(since)
    const { truncated, changes } = await ofZfs(cli, id, at === undefined ? { point } : { since: at })
    if (truncated) cli.say(`there are more: these are the first ${changes.length}`)
    if (cli.out.json) return cli.out.lines(changes.map((change) => toJson(change)))
    await cli.out.lines(changes.length === 0 ? ['nothing'] : changes.map(line))
  },
}

function line({ change, kind, path, from }: Change): string {
  const end = kind === 'dir' ? '/' : ''
  return `${MARKS[change]} ${from === undefined ? '' : `${from}${end} -> `}${path}${end}`
}

/** Where ZFS cannot tell, the old point is mounted beside, and the two trees are walked: with the rights of whoever asks. */
async function ofZfs(
  cli: Cli,
  id: ProjectId,
  which: { since?: string; point?: string | undefined },
): Promise<Changes> {
  try {
    return await cli.ask<Changes>('POST', `/v1/projects/${id}/changes`, which)
  } catch (error) {
    if (codeOf(error) !== 'no-diff') throw error
    return compared(cli, id, which.since === undefined ? { point: which.point } : { at: which.since })
  }
}

async function compared(cli: Cli, id: ProjectId, which: object): Promise<Changes> {
  const { realPath } = await cli.ask<{ realPath: string }>('POST', `/v1/projects/${id}/open`)
  return withPoint(cli, id, which, async ({ point, path: old }) => {
    const found = await treeChanges(old, realPath, cli.signal)
    const changes = found.map(({ path, from, ...entry }) => ({
      ...entry,
      path: textOfName(path),
      ...(from && { from: textOfName(from) }),
    }))
    return { point, truncated: false, changes }
  })
}
