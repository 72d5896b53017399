/** What has happened to a project on this host, for whoever listens: an act that has ended, also one that nobody asked for. */
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'

export type Tidings =
  | { readonly kind: 'created'; readonly id: ProjectId }
  | { readonly kind: 'opened'; readonly id: ProjectId; readonly receivedBytes: bigint }
  | { readonly kind: 'saved'; readonly id: ProjectId; readonly point: Guid; readonly bytes: bigint }
  /** By itself: of one that somebody asked for, he is told. Told again each time that it fails. */
  | { readonly kind: 'save-failed'; readonly id: ProjectId; readonly error: unknown }
  | { readonly kind: 'closed'; readonly id: ProjectId }
  | { readonly kind: 'moved'; readonly id: ProjectId; readonly to: string }
  | {
      readonly kind: 'evicted'
      readonly id: ProjectId
      readonly freedBytes: bigint
      /** Nobody asked for it: the pool was short of room. */
      readonly bySweep: boolean
    }
  | { readonly kind: 'destroyed'; readonly id: ProjectId }
  | { readonly kind: 'rolled-back'; readonly id: ProjectId; readonly point: Guid }
  | { readonly kind: 'restored'; readonly id: ProjectId; readonly point: Guid }
  /** It is open here, and not what the store calls the project any more. */
  | {
      readonly kind: 'diverged'
      readonly id: ProjectId
      readonly point: Guid
      /** The host that owns it now; null where what is here has left the head by hand. */
      readonly takenBy: string | null
    }
  | { readonly kind: 'set-aside'; readonly id: ProjectId; readonly name: string; readonly why: string }

/** Never throws, and returns at once. */
export type Tell = (tidings: Tidings) => void
