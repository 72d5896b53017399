/** What every line of the log that is written meanwhile belongs to: the request that asked for it, and the operation that it became. */
import { AsyncLocalStorage } from 'node:async_hooks'

export interface LogContext {
  readonly request?: string
  readonly operation?: string
}

const storage = new AsyncLocalStorage<LogContext>()

export const contextNow = (): LogContext => storage.getStore() ?? {}

/** `act`, and all that it waits for, besides what it belongs to already. */
export const within = <T>(more: LogContext, act: () => T): T =>
  storage.run({ ...storage.getStore(), ...more }, act)

/** `act` belongs to nothing that is going on: its beginning only happened to come in the middle of it. */
export const apart = <T>(act: () => T): T => storage.run({}, act)
