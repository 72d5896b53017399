/** Projects for tests of the graph: points are named by small numbers, edges in one line each. */
import { type Guid, guid, type HostId, type SessionId, type WriteId } from '../../pipeline/base/ids.ts'
import type { Project, Statics, WriteRow } from '../../pipeline/graph/state.ts'
import { aManifest, aRow, aStatics, newProjectId } from '../contracts/values.ts'
import { int, type Random } from './random.ts'

export const A = 'host-a' as HostId
export const B = 'host-b' as HostId
export const SESSION = 'session-1' as SessionId

export const point = (number: number): Guid => guid(BigInt(number))

export interface EdgeOptions extends Partial<Omit<WriteRow, 'from' | 'to'>> {
  readonly bytes?: number
  readonly atMs?: number
}

/** A committed write `from → to`; 0 is nothing. */
export function edge(id: string, from: number, to: number, options: EdgeOptions = {}): WriteRow {
  const { bytes = 100, atMs = to, ...set } = options
  const committed = (set.state ?? 'committed') !== 'writing' && set.state !== 'aborted'
  const manifest = aManifest({ bytes: BigInt(bytes) })
  return aRow({
    writeId: id as WriteId,
    from: from === 0 ? null : point(from),
    to: point(to),
    host: A,
    session: SESSION,
    state: 'committed',
    committedAtMs: committed ? 0 : null,
    manifest: committed ? { ...manifest, stream: { ...manifest.stream, createdAtMs: atMs } } : null,
    ...set,
  })
}

/** A live project owned by A whose head is the last edge's end, unless told otherwise. */
export function projectOf(rows: readonly WriteRow[], statics: Partial<Statics> = {}): Project {
  const head = rows.filter((row) => row.state === 'committed' && !row.side).at(-1)?.to ?? null
  return {
    id: newProjectId(),
    statics: aStatics({ owner: A, epoch: 3n, rev: 7n, head, ...statics }),
    rows: new Map(rows.map((row) => [row.writeId, row])),
  }
}

/** Up to `most` edges between a few points, in any state, cycles and islands included. */
export function randomGraph(random: Random, most: number): Project {
  const rows = Array.from({ length: int(random, 0, most) }, (_, index) => {
    const from = int(random, 0, 5)
    const to = int(random, 1, 6)
    const state = int(random, 0, 5) === 0 ? 'superseded' : 'committed'
    // Few different costs, so that there are ties.
    return edge(`w${index}`, from, to === from ? 6 : to, { bytes: int(random, 0, 3), state })
  })
  return projectOf(rows)
}

export const ids = (rows: Iterable<WriteRow>): string[] => [...rows].map((row) => row.writeId)
