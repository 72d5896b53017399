/** `history`: each point that a project can be brought back to. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import type { Verb } from '../cli.ts'
import { localTime, table, toJson } from '../output.ts'

interface Point {
  readonly point: string
  readonly at: string
  readonly host: string
  readonly hostName: string | null
  readonly referencedBytes: string | null
  readonly streams: number
  readonly bytes: string
  readonly keptAs: string | null
}

export const verb: Verb<[id: string]> = {
  configure(command) {
    command.argument('<id>', 'the project')
  },

  async run(cli, [text]) {
    const id = projectId(text)
    const { points } = await cli.ask<{ points: readonly Point[] }>('GET', `/v1/projects/${id}/history`)
    if (cli.out.json) return cli.out.lines(points.map((point) => toJson(point)))
    await cli.out.lines(points.length === 0 ? [`nothing of ${id} was saved yet`] : lines(points))
  },
}

const lines = (points: readonly Point[]): string[] =>
  table(
    [
      { title: 'POINT', align: 'right' },
      { title: 'TIME' },
      { title: 'SIZE', align: 'right' },
      { title: 'HOST' },
      { title: 'TO RECEIVE', align: 'right' },
      { title: 'STREAMS', align: 'right' },
      { title: 'KEPT AS' },
    ],
    points.map(({ point, at, referencedBytes, host, hostName, bytes, streams, keptAs }) => [
      point,
      localTime(Date.parse(at)),
      referencedBytes === null ? '' : humanBytes(BigInt(referencedBytes)),
      hostName ?? host,
      humanBytes(BigInt(bytes)),
      String(streams),
      keptAs ?? 'may go',
    ]),
  )
