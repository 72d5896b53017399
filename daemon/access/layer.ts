/**
 * What opens a project the moment somebody touches its path. Every layer keeps these promises; a suite holds them to it.
 */
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { Figures } from './figures.ts'

export interface AccessCallbacks {
  /**
   * Where the project is, once it is open there. Called for an access to a project that is not mounted, and for no other; may be
   * called again for one that is under way. The signal fires when nobody waits for the answer any more. A rejection is shown to
   * whoever waits as an errno (see `errno-of.ts`).
   */
  readonly open: (id: ProjectId, signal: AbortSignal) => Promise<string>
  /** For listings of the directory, in any order. Asked in the background, never while somebody waits. */
  readonly listed: (what: Shown) => AsyncIterable<ProjectId> | Iterable<ProjectId>
  /** Which projects were reached by their path, some seconds ago at most; told again as long as they are. */
  readonly used: (ids: readonly ProjectId[]) => void
  /** What whoever serves the paths has counted, some seconds ago at most; undefined: nobody serves them any more. */
  readonly figures?: (figures: Figures | undefined) => void
}

export interface AccessLayer {
  /**
   * From when it resolves, an access to any well-formed id leads to its project or fails with an errno, in bounded time. An access
   * to what is mounted already asks nobody. A name that is no id does not exist. Looking at a name, listing the directory or asking
   * what kind of thing an entry is opens nothing, however many there are.
   */
  start(callbacks: AccessCallbacks): Promise<void>
  /**
   * Nothing is asked of the callbacks any more; what was asked is told by its signal. What is mounted stays reachable by its path
   * where the layer has a process of its own, and who waits there is answered by the next daemon or at a deadline.
   */
  stop(): Promise<void>
  /**
   * For a project that was unmounted, or whose path has changed: an access that begins after this has resolved is not answered with what
   * was true before.
   */
  forget(id: ProjectId): Promise<void>
  /**
   * For a project that is about to be unmounted: from when it resolves until it is forgotten, an access asks the callbacks though it
   * is mounted still.
   */
  hold(id: ProjectId): Promise<void>
  /** For a project that was just mounted, whoever asked for it: the next listing of the directory but for a moment shows it. */
  mounted(id: ProjectId): void
}

/** What this host's pool has, or what there is. */
export const SHOWN = ['resident', 'all'] as const
export type Shown = (typeof SHOWN)[number]

/** What a listing of the directory shows. Each thing that it shows may be opened by programs that look behind every link. */
export const BROWSE = [...SHOWN, 'none'] as const
export type Browse = (typeof BROWSE)[number]
