/** What befalls a project without any act on it, or beside one: for events. */
import type { Guid, ProjectId } from '../../pipeline/base/ids.ts'

export type Tidings =
  /** It is open here, and not what the store calls the project any more. */
  | {
      readonly kind: 'diverged'
      readonly id: ProjectId
      readonly point: Guid
      /** The host that owns it now; null where what is here has left the head by hand. */
      readonly takenBy: string | null
    }
  | { readonly kind: 'set-aside'; readonly id: ProjectId; readonly name: string; readonly why: string }
  /** Users can read it and no longer write, for this host has lost its place in the store; and the end of that. */
  | { readonly kind: 'read-only' | 'writable'; readonly id: ProjectId }

/** Never throws, and returns at once. */
export type OnTidings = (tidings: Tidings) => void
