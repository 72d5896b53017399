/** A write as `--json` prints it: the same names in every command. */
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import { utcTime } from './output.ts'

export function writeJson({ id, statics }: Project, row: WriteRow): Record<string, unknown> {
  const { manifest } = row
  return {
    writeId: row.writeId,
    project: id,
    state: row.state,
    from: row.from,
    to: row.to,
    isHead: row.state === 'committed' && row.to === statics.head,
    side: row.side,
    host: row.host,
    begunAt: utcTime(row.begunAtMs),
    changedAt: utcTime(row.changedAtMs),
    committedAt: row.committedAtMs === null ? null : utcTime(row.committedAtMs),
    chunkBytes: row.chunkBytes,
    snapshot: manifest?.stream.toName ?? null,
    snapshotAt: manifest ? utcTime(manifest.stream.createdAtMs) : null,
    bytes: manifest?.bytes ?? null,
    logicalBytes: manifest?.stream.logicalBytes ?? null,
    chunkCount: manifest?.chunkCount ?? null,
    rootDigest: manifest?.rootDigest ?? null,
    features: manifest?.stream.features ?? null,
  }
}
