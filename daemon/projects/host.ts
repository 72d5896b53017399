/** What every act on a project needs to know: the store, the pool that is its cache here, and who this host is. */
import type { DatasetName } from '../../native/zfs/names.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import type { Clock } from '../../pipeline/base/clock.ts'
import type { TidepoolError } from '../../pipeline/base/errors.ts'
import type { HostId, ProjectId, SessionId } from '../../pipeline/base/ids.ts'
import type { RetentionPolicy } from '../../pipeline/graph/retention.ts'
import type { DeathWatch } from '../../pipeline/hosts/take.ts'
import type { Limiter } from '../../pipeline/limit/limiter.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import type { StreamCache } from '../../pipeline/stores/stream-cache/index.ts'
import type { ProjectLocks } from './locks.ts'
import type { OnProgress } from './progress.ts'
import type { Restores } from './restores.ts'
import type { Untouched } from './untouched.ts'

export interface ProjectSettings {
  readonly retention: RetentionPolicy
  /** New points are refused where the snapshots of a project take more than so many times its quota. */
  readonly snapshotQuotaFactor: number
  /** Whether a host that looks dead loses its projects to whoever wants them, or only once a person says so. */
  readonly takeover: 'automatic' | 'ask'
  /** Whether users may go on writing here while this host is lost, and another may have their projects. */
  readonly onHostLoss: 'keep' | 'readonly'
  /** How long after the commit of its newest point a project may be evicted at the earliest. */
  readonly evictAfterCommitMs: number
  /** Old points of one project that may be restored beside it at a time. */
  readonly maxRestored: number
}

export interface ProjectHost {
  readonly store: Store
  readonly limiter: Limiter
  /** In front of the store for what is received; proofs and checks never ask it. */
  readonly streamCache?: StreamCache | undefined
  readonly clock: Clock
  readonly zfs: Zfs
  /** The dataset below which projects live, and the GUID of its pool. */
  readonly parent: DatasetName
  readonly poolGuid: string
  /** Projects are mounted at `<mountRoot>/<id>`. */
  readonly mountRoot: string
  readonly host: HostId
  readonly session: SessionId
  /** Whether an earlier session of this host is known to be over, so that what it left writing is ours to end. */
  readonly isEnded: (session: SessionId) => boolean
  readonly deathWatch: DeathWatch
  readonly locks: ProjectLocks
  readonly restores: Restores
  readonly untouched: Untouched
  readonly settings: ProjectSettings
  /** Why nothing more is opened here, where that is so. */
  readonly refusal?: () => TidepoolError | undefined
  /** Called before a project is unmounted: from when it resolves, whoever wants it asks for it. */
  readonly unmounting?: ((id: ProjectId) => Promise<void>) | undefined
  /** Called before a project is mounted or leaves its name: what made it read-only while this host was lost ends. */
  readonly writable?: ((id: ProjectId, options: ActOptions) => Promise<void>) | undefined
  /** Throws `host-lost` while this host may not commit, open or evict. */
  readonly mayAct: () => void
}

/** What an act was asked with. */
export interface ActOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}
