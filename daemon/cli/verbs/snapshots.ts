/** `snapshots`: each state of a project that can be looked into. */
import { projectId } from '../../../pipeline/base/ids.ts'
import type { Verb } from '../cli.ts'
import { localTime, table, toJson } from '../output.ts'

interface Snapshot {
  readonly point: string
  readonly at: string
  readonly isHead: boolean
  readonly isStored: boolean
  readonly isHere: boolean
}

export const verb: Verb<[id: string]> = {
  configure(command) {
    command
      .argument('<id>', 'the project')
      .addHelpText('after', '\n`tidepool restore ID POINT` shows one beside the project, read-only.')
  },

  async run(cli, [text]) {
    const id = projectId(text)
    const { snapshots } = await cli.ask<{ snapshots: readonly Snapshot[] }>(
      'GET',
      `/v1/projects/${id}/snapshots`,
    )
    if (cli.out.json) return cli.out.lines(snapshots.map((one) => toJson(one)))
    await cli.out.lines(snapshots.length === 0 ? [`nothing of ${id} was saved yet`] : lines(snapshots))
  },
}

const lines = (snapshots: readonly Snapshot[]): string[] =>
  table(
    [{ title: 'POINT', align: 'right' }, { title: 'TIME' }, { title: 'WHERE' }],
    snapshots.map(({ point, at, ...one }) => [point, localTime(Date.parse(at)), where(one)]),
  )

function where({ isHead, isStored, isHere }: Pick<Snapshot, 'isHead' | 'isStored' | 'isHere'>): string {
  if (!isStored) return 'this pool alone'
  return `${isHere ? 'store and pool' : 'store'}${isHead ? ', the newest save' : ''}`
}
