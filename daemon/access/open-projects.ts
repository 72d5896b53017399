/** Opens of an engine's projects, for whoever touches or asks for them. */
import type { Clock } from '../../pipeline/base/clock.ts'
import type { Engine } from '../projects/engine.ts'
import { Opens, type OpensOptions } from './opens.ts'

export type OpenProjectsOptions = Omit<OpensOptions, 'open' | 'clock'> & { readonly clock?: Clock }

/** One a daemon: what is asked for by name and what is touched wait in the same line. */
export function openProjects(
  engine: Pick<Engine, 'open' | 'host'>,
  options: OpenProjectsOptions = {},
): Opens {
  return new Opens({
    clock: engine.host.clock,
    ...options,
    open: async (id, signal) => (await engine.open(id, { signal })).path,
  })
}
