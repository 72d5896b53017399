/** Keeps a root mounted: nobody tells its process when somebody unmounts it, so it looks, and mounts it again. */
import { type Clock, systemClock } from '../../pipeline/base/clock.ts'
import { FuseRoot, type RootOptions } from './root.ts'
import { detachRoots } from './stale.ts'

export interface KeptOptions extends RootOptions {
  readonly clock?: Clock
  /** @default 3 s */
  readonly everyMs?: number
  readonly log: (line: string) => void
}

/** A request that finds more threads than the loop keeps idle costs one; see the addon's leak. */
const WORN_OUT_THREADS = 2000

/**
 * Serves until the signal fires, then unmounts and resolves with `stopped`; with `worn-out`, unmounted too, where the addon has
 * leaked so much that another process is to go on. `served` is called once it answers.
 */
export async function keepServing(
  { clock = systemClock, everyMs = 3000, log, ...options }: KeptOptions,
  signal: AbortSignal,
  served: () => void,
): Promise<'stopped' | 'worn-out'> {
  const { path } = options
  const stale = await detachRoots(path)
  if (stale > 0) log(`took away ${stale} root${stale === 1 ? '' : 's'} that a killed process left at ${path}`)
  let root = await FuseRoot.mount(options)
  served()
  for (;;) {
    await clock.sleep(everyMs, signal).catch(() => {})
    if (signal.aborted || root.threads > WORN_OUT_THREADS) {
      await root.unmount()
      return signal.aborted ? 'stopped' : 'worn-out'
    }
    try {
      if (await root.isMounted()) continue
      log(`${path} was unmounted by somebody: it is mounted again`)
      root = await FuseRoot.mount(options)
    } catch (error) {
      // Something else lies there now, or the directory is gone; it may be well again at the next look.
      log(`${path} cannot be mounted again: ${(error as Error).message}`)
    }
  }
}
