/** What an engine is made of, and what may be changed while it runs. */

import type { DatasetName } from '../../native/zfs/names.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import type { Clock } from '../../pipeline/base/clock.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { Limiter } from '../../pipeline/limit/limiter.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import type { StreamCache } from '../../pipeline/stores/stream-cache/index.ts'
import type { OnAct } from './acts.ts'
import type { Leaving } from './comings.ts'
import type { ProjectSettings } from './host.ts'
import type { MembershipOptions } from './membership.ts'
import type { ResidencySettings } from './residency.ts'
import type { SaveQueueOptions, SaveSettings } from './save-queue.ts'
import type { OnSweep } from './sweep.ts'
import type { OnTidings } from './tidings.ts'

/** What may change while it runs. */
export interface EngineSettings {
  readonly settings: ProjectSettings
  readonly residency: ResidencySettings
  readonly saves: SaveSettings
}

export interface EngineParts {
  readonly store: Store
  readonly limiter: Limiter
  /** In front of the store, for what is opened or restored. */
  readonly streamCache?: StreamCache | undefined
  readonly zfs: Zfs
  /** The dataset below which projects live. */
  readonly parent: DatasetName
  readonly mountRoot: string
  /** Where this host remembers who it is, and when which project was used. */
  readonly stateDirectory: string
  /** Of this host, for people. */
  readonly name: string
  readonly settings: ProjectSettings
  /** Called when a project was unmounted, before the act that did it has ended; also where nothing came of it. */
  readonly unmounted?: (id: ProjectId) => Promise<void>
  /** Called when a project was mounted or found so, before the act that did it has ended. */
  readonly mounted?: (id: ProjectId, path: string) => Promise<void>
  /** Called when nobody uses a project here any more: it was evicted or destroyed, and not opened again meanwhile. */
  readonly left?: (id: ProjectId, how: Leaving) => void
  /** Hears of each act on a project when it has ended, well or not, also of those that nobody asked for. */
  readonly onAct?: OnAct
  readonly onTidings?: OnTidings
  /** Hears of what the store lets in and this host can't receive, at the start and whenever that changes. */
  readonly onReceivable?: (lacks: readonly string[]) => void
  /** Hears of each look for what could leave. */
  readonly onSweep?: OnSweep
  /** Called before a project is unmounted: from when it resolves, whoever wants it asks for it. */
  readonly unmounting?: (id: ProjectId) => Promise<void>
  readonly residency?: ResidencySettings
  readonly sweepEveryMs?: number
  readonly saves?: Partial<Pick<SaveQueueOptions, 'intervalMs' | 'atOnce'>>
  /** How long nobody has to use what another host has taken before it is set aside. @default 60 s */
  readonly leaveTakenAfterMs?: number
  readonly clock?: Clock
  readonly random?: () => number
  readonly membership?: Pick<MembershipOptions, 'onChange' | 'heartbeat'>
}
