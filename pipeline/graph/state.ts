/**
 * What a store knows of one project: a line of statics and one row a write. All decisions are made on this value,
 * read serially, and come back as one `Transaction` (`transaction.ts`).
 *
 * Committed rows are the edges of a graph whose nodes are snapshot GUIDs ("points"); `from: null` is "from nothing".
 */
import type { Guid, HostId, ProjectId, SessionId, WriteId } from '../base/ids.ts'
import type { Manifest } from '../transfer/manifest.ts'

/** live → destroyed → purging → purged, back by undelete (from destroyed) and re-create (from purged). */
export type Life = 'live' | 'destroyed' | 'purging' | 'purged'

/**
 * writing → committed → superseded → deleting → deleted, or writing → aborted → deleted.
 * `deleted` says that the chunks are gone; the row leaves later.
 */
export type WriteState = 'writing' | 'committed' | 'superseded' | 'deleting' | 'deleted' | 'aborted'

/** Why a point other than the head must stay restorable until somebody says otherwise. */
export type KeptReason = 'side' | 'left-by-rollback' | 'unreadable' | 'pinned'

export interface Statics {
  readonly life: Life
  /** The host that may move the head. */
  readonly owner: HostId | null
  /** Grows with take-over, rollback, destroy, undelete, re-create. Never goes back. */
  readonly epoch: bigint
  /** Grows with all of those and with commit, supersede, release, touch, pins, properties. Never goes back. */
  readonly rev: bigint
  /** The epoch at the latest creation: what was opened under an older one belongs to an earlier life. */
  readonly born: bigint
  readonly head: Guid | null
  readonly kept: Readonly<Record<string, KeptReason>>
  readonly quotaBytes: bigint | null
  readonly properties: Readonly<Record<string, string>>
  readonly uid: number | null
  readonly gid: number | null
  /** When `life` last changed, by the store's clock. */
  readonly lifeAtMs: number
}

export interface WriteRow {
  readonly writeId: WriteId
  readonly from: Guid | null
  readonly to: Guid
  readonly host: HostId
  readonly session: SessionId
  /** True where the write's end does not become the head. */
  readonly side: boolean
  readonly state: WriteState
  readonly chunkBytes: number
  /** Chunks exist only below this number; raised before anything is written past it. */
  readonly seqHigh: number
  readonly begunAtMs: number
  /** When `state` last changed, by the store's clock. */
  readonly changedAtMs: number
  readonly committedAtMs: number | null
  /** Known from the commit on. */
  readonly manifest: Manifest | null
}

export interface Project {
  readonly id: ProjectId
  readonly statics: Statics
  readonly rows: ReadonlyMap<WriteId, WriteRow>
}
