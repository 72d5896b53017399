/** Reads a project out of the catalogue: in one snapshot, and so that thousands of rows hold nobody up. */
import { setImmediate as breathe } from 'node:timers/promises'
import type { ProjectId, WriteId } from '../../base/ids.ts'
import type { Project, WriteRow } from '../../graph/state.ts'
import type { Environment } from './environment.ts'
import { decodeRow } from './rows.ts'
import { decodeStatics, keys, mayBeCommitted, under } from './values.ts'

/** As `Environment.read`: runs on the newest state, in one snapshot. */
export type Look = Environment['read']

/** A row takes up to 30 µs, most of it to check its manifest: so many at a time before others get their turn. */
const ROWS_AT_ONCE = 64

export interface ReadOptions {
  /** Leaves out the rows of writes that are no edges: what ended long ago is most of a busy project. */
  readonly onlyCommitted?: boolean
  readonly signal?: AbortSignal | undefined
}

export async function readProject(
  look: Look,
  id: ProjectId,
  { onlyCommitted = false, signal }: ReadOptions = {},
): Promise<Project | undefined> {
  const found = await look((reader) => {
    const statics = reader.get(keys.project(id))
    return statics === undefined
      ? undefined
      : { statics, texts: [...reader.getRange(under('row', id)).map(({ value }) => value)] }
  })
  if (!found) return undefined
  const texts = onlyCommitted ? found.texts.filter(mayBeCommitted) : found.texts
  const rows = new Map<WriteId, WriteRow>()
  for (const text of texts) {
    const row = decodeRow(text)
    rows.set(row.writeId, row)
    if (rows.size % ROWS_AT_ONCE === 0) {
      await breathe()
      signal?.throwIfAborted()
    }
  }
  return { id, statics: decodeStatics(found.statics, id), rows }
}
