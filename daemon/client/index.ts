/** What the package exports: a client of a daemon, and what it answers. */
export { TidepoolError } from '../../pipeline/base/errors.ts'
export { type Answered, type CallOptions, Client, type ClientOptions } from './client.ts'
export type { EventsOptions } from './follow.ts'
export type { HostEventView, OperationStatus } from './types.ts'
export type { CreateOptions, OpenedView, ProjectView, SavedView } from './verbs.ts'
