/** One thing that happened on this host, as it is told to whoever listens. */
import type { TidepoolError } from '../../pipeline/base/errors.ts'
import { codeOf, messageOf } from '../../pipeline/base/errors.ts'

export const EVENT_KINDS = [
  'daemon-started',
  'daemon-stopping',
  'project-created',
  'project-opened',
  'project-saved',
  'project-closed',
  'project-moved',
  'project-evicted',
  'project-destroyed',
  'project-rolled-back',
  'project-restored',
  'project-diverged',
  'project-set-aside',
  'project-read-only',
  'project-writable',
  'save-failed',
  'operation-started',
  'operation-ended',
  'host-live',
  'host-lost',
  'host-over',
  'gap',
] as const

export type EventKind = (typeof EVENT_KINDS)[number]

export interface HostEvent {
  /** `<start of the daemon>-<number>`: numbers of one start follow each other without a hole. */
  readonly id: string
  readonly atMs: number
  readonly kind: EventKind
  readonly project: string | null
  /** What belongs to the kind; short, for a thousand of them are kept. */
  readonly facts: Readonly<Record<string, unknown>>
}

const MAX_WHY = 500

/** Why something failed, as facts of an event. */
export function whyOf(error: unknown): { readonly code: TidepoolError['code'] | null; readonly why: string } {
  return { code: codeOf(error) ?? null, why: messageOf(error).slice(0, MAX_WHY) }
}
