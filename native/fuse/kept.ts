/** Keeps a root mounted and answering: nobody tells its process when that ends, so it looks, and does what helps. */
import { type Clock, systemClock } from '../../pipeline/base/clock.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { readMounts } from '../mount/mountinfo.ts'
import { answersWalks } from './pulse.ts'
import { FuseRoot, type RootOptions } from './root.ts'
import { detachRoots, isOurRoot } from './stale.ts'

export interface KeptOptions extends RootOptions {
  /** A link in it that is answered from memory. */
  readonly probe: string
  readonly clock?: Clock
  /** Between two looks. @default 3 s */
  readonly everyMs?: number
  /** Each that ever answered stays in the addon's memory, and makes every answer slower. @default 2000 */
  readonly maxThreads?: number
  readonly log: (line: string) => void
  /** Before it is unmounted: the handlers are to let go of who waits, and to make nobody wait any more. */
  readonly ending: () => Promise<void>
}

/** `worn-out` and `silent`: another process is to go on. */
export type HowServingEnded = 'stopped' | 'worn-out' | 'silent'

/** So many looks after the last walk that was tried. */
const LOOKS_A_WALK = 3
/** A host that is busy may be late once. */
const MAX_UNANSWERED = 2

/**
 * Serves until the signal fires, or serving makes no sense any more; resolves unmounted. `served` is called once it answers. Rejects
 * with `root-served` where another process answers there.
 */
export async function keepServing(
  options: KeptOptions,
  signal: AbortSignal,
  served: () => void,
): Promise<HowServingEnded> {
  const { path, probe, clock = systemClock, everyMs = 3000, maxThreads = 2000, log, ending } = options
  await requireUnserved(path, probe)
  const stale = await detachRoots(path)
  if (stale > 0) log(`took away ${stale} root${stale === 1 ? '' : 's'} that a killed process left at ${path}`)
  let root = await FuseRoot.mount(options)
  served()
  let unanswered = 0
  let complaint = ''
  for (let look = 1; ; look++) {
    await clock.sleep(everyMs, signal).catch(() => {})
    if (signal.aborted || root.threads > maxThreads) {
      await ending()
      await root.unmount()
      return signal.aborted ? 'stopped' : 'worn-out'
    }
    try {
      if (!(await root.isMounted())) {
        root = await FuseRoot.mount(options)
        log(`${path} was unmounted by somebody, and is mounted again`)
        complaint = ''
      } else if (look % LOOKS_A_WALK === 0) {
        unanswered = (await answersWalks(path, probe)) ? 0 : unanswered + 1
      }
    } catch (error) {
      // Something else lies there now, or the directory is gone; it may be well again at the next look.
      const { message } = error as Error
      if (message !== complaint) log(`${path} was unmounted by somebody: ${message}`)
      complaint = message
    }
    if (unanswered < MAX_UNANSWERED) continue
    log(`${path} did not answer ${unanswered} walks: it is taken away`)
    await root.abort()
    return 'silent'
  }
}

/** Asked of the root itself and not of a lock: anybody may take a name in the kernel, and a file has to be judged. */
async function requireUnserved(path: string, probe: string): Promise<void> {
  const there = (await readMounts()).some((mount) => mount.mountPoint === path && isOurRoot(mount))
  if (!there || !(await answersWalks(path, probe))) return
  throw new TidepoolError('root-served', `another process serves ${path}`, {
    hint: 'End that one first: `pgrep -af access/main`.',
    facts: { path },
  })
}
