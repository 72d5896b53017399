/** An engine over a test's pool, as a daemon starts it. */
import { join } from 'node:path'
import { Engine } from '../../daemon/projects/engine.ts'
import type { EngineParts } from '../../daemon/projects/engine-parts.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { type PoolWorld, TEST_SETTINGS } from './project-host.ts'

export function startEngine(
  world: PoolWorld,
  store: Store,
  stateDirectory: string,
  parts: Partial<EngineParts> = {},
): Promise<Engine> {
  return Engine.start({
    store,
    limiter: fixedLimiter({ count: 8, maxBytes: 64 * 2 ** 20 }),
    zfs: world.zfs,
    parent: world.parent,
    mountRoot: join(world.mounts, 'real'),
    stateDirectory,
    name: 'test',
    settings: TEST_SETTINGS,
    ...parts,
  })
}
