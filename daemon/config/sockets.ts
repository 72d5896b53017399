/** Where a daemon listens, by its configuration; apart from the daemon, which the access process does not load. */
import { join } from 'node:path'
import type { Config } from './schema.ts'

export const socketOf = (config: Pick<Config, 'run'>): string => join(config.run, 'tidepool.sock')

/** Alone in a directory that only root may enter. */
export const accessSocketOf = (config: Pick<Config, 'run'>): string =>
  join(config.run, 'access', 'access.sock')

/** Everybody may speak here, and is answered what an owner may know. */
export const ownersSocketOf = (config: Pick<Config, 'run'>): string => join(config.run, 'owner.sock')

/** Where it says to clients of this machine which port it has. */
export const endpointFileOf = (config: Pick<Config, 'run'>): string => join(config.run, 'endpoint.json')
