/** Keeps a root mounted and answering: nobody tells its process when that ends, so it looks, and does what helps. */
import { type Clock, systemClock } from '../../pipeline/base/clock.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { readMounts } from '../mount/mountinfo.ts'
import type { OnAnswer } from './answers.ts'
import { answersWalks } from './pulse.ts'
import { FuseRoot, type RootOptions } from './root.ts'
import { detachRoots, isOurRoot } from './stale.ts'

export interface KeptOptions extends RootOptions {
  /** A link in it that is answered from memory. */
  readonly probe: string
  readonly clock?: Clock
  /** Between two looks. @default 3 s */
  readonly everyMs?: number
  readonly wear?: Wear
  readonly log: (line: string) => void
  /** Before it is unmounted: the handlers are to let go of who waits, and to make nobody wait any more. */
  readonly ending: () => Promise<void>
}

/**
 * Each thread that ever answered stays in the addon's memory, and makes every answer slower: alone, a walk took 40 µs with a few,
 * 60 to 75 with 5000, 170 with 10,000. Where more than ten walks are under way at a time threads come and go, 300 a second beside 48
 * programs that do nothing but walk. For the second or two until the next process serves, every walk fails.
 */
export interface Wear {
  /** From so many another process goes on, at the next moment in which nobody would notice. @default 2000 */
  readonly threads: number
  /** With so many at once, whoever walks. @default 10,000 */
  readonly mostThreads: number
}

const WEAR: Wear = { threads: 2000, mostThreads: 10_000 }

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
  const { path, probe, clock = systemClock, everyMs = 3000, wear = WEAR, log, ending } = options
  await requireUnserved(path, probe)
  const stale = await detachRoots(path)
  if (stale > 0) log(`took away ${stale} root${stale === 1 ? '' : 's'} that a killed process left at ${path}`)
  const lull = new Lull(options.answered)
  const mounting: RootOptions = { ...options, answered: lull.answered }
  let root = await FuseRoot.mount(mounting)
  served()
  let unanswered = 0
  let complaint = ''
  for (let look = 1; ; look++) {
    await clock.sleep(everyMs, signal).catch(() => {})
    const isLull = lull.hasBeen()
    const isWornOut =
      root.threads > wear.mostThreads ||
      (root.threads > wear.threads && isLull && !(await root.isWaitedFor()))
    if (signal.aborted || isWornOut) {
      if (isWornOut) log(`${root.threads} threads have answered at ${path}: another process goes on`)
      await ending()
      await root.unmount()
      return signal.aborted ? 'stopped' : 'worn-out'
    }
    try {
      if (!(await root.isMounted())) {
        root = await FuseRoot.mount(mounting)
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

/** Whether nothing was answered since it was asked the last time. */
class Lull {
  #answers = 0
  #heard = 0
  readonly answered: OnAnswer

  constructor(answered: OnAnswer = () => {}) {
    this.answered = (operation, errno) => {
      this.#answers++
      answered(operation, errno)
    }
  }

  hasBeen(): boolean {
    const isLull = this.#answers === this.#heard
    this.#heard = this.#answers
    return isLull
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
