/** `stream graph`: the points of a project and the streams that lead to them, as a picture in text. */
import { type Guid, projectId, type WriteId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import { keptPoints, neededWrites } from '../../../pipeline/graph/needed.ts'
import { cheapestPaths } from '../../../pipeline/graph/plan.ts'
import { readProject } from '../../../pipeline/graph/settle.ts'
import type { Project, WriteRow } from '../../../pipeline/graph/state.ts'
import type { Verb } from '../cli.ts'
import { childrenFirst, drawLanes, type LaneNode } from '../lanes.ts'
import { localTime, utcTime } from '../output.ts'

export const verb: Verb<[project: string]> = {
  configure(command) {
    command.argument('<project>', 'its id').addHelpText(
      'after',
      `
A point is a state of the project that can be restored, by its snapshot's GUID: ◆ the head, ● kept with the reason,
○ not kept. Below each point stand the streams that lead to it; * marks those that the kept points need.`,
    )
  },

  async run(cli, [name]) {
    await cli.withStore(async ({ store }) => {
      const project = await readProject(store.catalogue, projectId(name), { signal: cli.signal })
      const points = pointsOf(project)
      await cli.out.one(graphJson(project, points), () => picture(project, points))
    })
  },
}

export interface GraphPoint {
  readonly guid: Guid
  readonly snapshot: string
  readonly atMs: number
  readonly isHead: boolean
  /** Why it must stay restorable; null where nothing asks for that. */
  readonly kept: string | null
  readonly reachable: boolean
  readonly edges: readonly WriteRow[]
}

/** Newest first. */
function pointsOf(project: Project): GraphPoint[] {
  const edges = new Map<Guid, WriteRow[]>()
  for (const row of project.rows.values()) {
    if (row.state !== 'committed') continue
    const there = edges.get(row.to)
    if (there) there.push(row)
    else edges.set(row.to, [row])
  }
  const paths = cheapestPaths(project.rows.values())
  const kept = keptPoints(project, paths)
  const { head } = project.statics
  return [...edges]
    .map(([guid, rows]) => {
      const ordered = rows.sort((a, b) => (a.writeId < b.writeId ? -1 : 1))
      const stream = ordered[0]?.manifest?.stream
      return {
        guid,
        snapshot: stream?.toName ?? '?',
        atMs: stream?.createdAtMs ?? ordered[0]?.begunAtMs ?? 0,
        isHead: guid === head,
        kept: kept.get(guid) ?? null,
        reachable: paths.reaches(guid),
        edges: ordered,
      }
    })
    .sort((a, b) => b.atMs - a.atMs || (a.guid < b.guid ? -1 : 1))
}

function graphJson({ id, statics }: Project, points: readonly GraphPoint[]): object {
  return {
    project: id,
    state: statics.life,
    owner: statics.owner,
    epoch: statics.epoch,
    rev: statics.rev,
    head: statics.head,
    points: points.map(({ guid, snapshot, atMs, isHead, kept, reachable }) => ({
      guid,
      snapshot,
      at: utcTime(atMs),
      isHead,
      kept,
      reachable,
    })),
    edges: points.flatMap(({ edges }) =>
      edges.map((row) => ({
        writeId: row.writeId,
        from: row.from,
        to: row.to,
        bytes: row.manifest?.bytes ?? null,
      })),
    ),
  }
}

function picture(project: Project, points: readonly GraphPoint[]): string[] {
  const { id, statics } = project
  const title = `${id}: ${statics.life}, ${statics.head === null ? 'no head yet' : `head ${statics.head}`}`
  if (points.length === 0) return [title, 'no points']
  const needed = neededWrites(project)
  return [title, '', ...drawLanes(childrenFirst(points.map((point) => laneNode(point, needed))))]
}

function laneNode(point: GraphPoint, needed: ReadonlySet<WriteId>): LaneNode {
  const { guid, snapshot, atMs, isHead, kept, reachable, edges } = point
  const why = isHead ? 'head' : reachable ? (kept ?? 'not kept') : 'not restorable: its base is gone'
  return {
    id: guid,
    parents: edges.flatMap(({ from }) => (from === null ? [] : [from])),
    mark: isHead ? '◆' : kept !== null && reachable ? '●' : '○',
    lines: [
      `${guid}  ${localTime(atMs)}  ${snapshot}  (${why})`,
      ...edges.map(
        (row) =>
          `  ${needed.has(row.writeId) ? '*' : ' '} ${row.writeId}  ${row.from === null ? 'full' : `from ${row.from}`}  ${humanBytes(row.manifest?.bytes ?? 0n)}`,
      ),
    ],
  }
}
