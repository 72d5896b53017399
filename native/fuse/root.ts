/**
 * A directory whose entries are symbolic links, answered by this process. It must never use a path below it: a process
 * that waits for its own answer cannot even be killed. What is here looks at mountinfo alone.
 */
import type Fuse from 'fuse-native'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { readMounts } from '../mount/mountinfo.ts'
import { loadAddon } from './addon.ts'
import { type AnswerLimits, guarded, type OnAnswer, type RootHandlers } from './answers.ts'
import { abortConnection, untilAnswered, waitingIn } from './connection.ts'
import { detach, isOurRoot, SUBTYPE } from './stale.ts'

export interface RootOptions {
  /** Absolute; a plain directory. */
  readonly path: string
  readonly handlers: RootHandlers
  readonly limits: AnswerLimits
  readonly failed: (operation: string, error: unknown) => void
  readonly answered?: OnAnswer
}

/** What is a link stays one, whatever it leads to; where it leads to the kernel asks each time. */
const ENTRY_TTL_S = '60'
/** The addon's own deadline comes behind ours: it is there for a guard that fails. */
const BACKSTOP_MS = 5000
/** For what has been answered to reach whoever asked, on a busy machine. */
const ANSWER_LIMIT_MS = 2000

export class FuseRoot {
  readonly path: string
  readonly #fuse: Fuse
  readonly #mount: { readonly id: number; readonly device: string }

  private constructor(path: string, fuse: Fuse, mount: { readonly id: number; readonly device: string }) {
    this.path = path
    this.#fuse = fuse
    this.#mount = mount
  }

  /** Resolves once it answers. Nothing of ours may be mounted there any more. */
  static async mount({ path, handlers, limits, failed, answered }: RootOptions): Promise<FuseRoot> {
    const Addon = await loadAddon()
    const fuse = new Addon(path, guarded(handlers, limits, failed, answered), {
      allowOther: true,
      defaultPermissions: true,
      // The addon knows no such options, and joins those that it knows with commas.
      fsname: `${SUBTYPE},ro,nosuid,nodev,nonempty,negative_timeout=0`,
      subtype: SUBTYPE,
      entryTimeout: ENTRY_TTL_S,
      attrTimeout: ENTRY_TTL_S,
      timeout: { default: limits.quickMs + BACKSTOP_MS, readlink: limits.readlinkMs + BACKSTOP_MS },
    })
    await new Promise<void>((resolve, reject) => {
      fuse.mount((error) => (error ? reject(refused(path, error)) : resolve()))
    })
    const mount = (await readMounts()).filter((one) => one.mountPoint === path && isOurRoot(one)).at(-1)
    if (!mount) throw refused(path, new Error('it was unmounted at once'))
    return new FuseRoot(path, fuse, mount)
  }

  /** Nobody tells when somebody unmounts it, so it has to be asked. */
  async isMounted(): Promise<boolean> {
    const { id, device } = this.#mount
    return (await readMounts()).some(
      // The kernel uses both numbers again, so they say nothing by themselves.
      (mount) =>
        mount.id === id && mount.device === device && mount.mountPoint === this.path && isOurRoot(mount),
    )
  }

  /** How many threads have served it: the addon keeps memory for each that ever did, and slows down with their number. */
  get threads(): number {
    return this.#fuse._threads.size
  }

  /** Whether somebody waits for an answer at this moment. */
  async isWaitedFor(): Promise<boolean> {
    return (await waitingIn(this.#mount)) > 0
  }

  /** Lets go of everybody who waits in it, first. */
  async abort(): Promise<void> {
    if (!(await this.isMounted())) return
    await abortConnection(this.#mount)
    await detach(this.path)
  }

  /**
   * Whoever waits has his answer when this resolves, where the handlers give one soon: it is a thread of the addon that hands it over,
   * and a process that ends at once takes it along. Of the rest the kernel lets go when this process ends.
   */
  async unmount(): Promise<void> {
    if (!(await this.isMounted())) return
    await detach(this.path)
    await untilAnswered(this.#mount, ANSWER_LIMIT_MS)
  }
}

function refused(path: string, cause: Error): TidepoolError {
  return new TidepoolError('root-refused', `no root can be mounted at ${path}: ${cause.message}`, {
    cause,
    hint: 'It needs root, /dev/fuse, and a plain directory on the file system of its parent.',
    facts: { path },
  })
}
