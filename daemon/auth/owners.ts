/** Keeps the owners' tokens in step with what is mounted on this host, and shows them to their owners. */
import { chmod, mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hideView, mayMount, showReadOnly } from '../../native/mount/read-only-view.ts'
import { messageOf } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { Leaving } from '../projects/comings.ts'
import type { Engine } from '../projects/engine.ts'
import { mountPointOf } from '../projects/mount-point.ts'
import { OwnerTokens, ownDirectory } from './owner-tokens.ts'

/** Beside the sockets; each project's is `<run>/owners/<id>`. */
export const ownersDirectoryOf = (run: string): string => join(run, 'owners')

/**
 * Where they are kept: behind a directory that nobody else enters, for what its owner could write to he is to find only where it is shown
 * read-only. One that may not mount has no projects of others: what could be done to it, its own user does to himself.
 */
export const keptOwnersOf = async (run: string): Promise<string> =>
  (await mayMount()) ? join(run, 'private', 'owners') : ownersDirectoryOf(run)

export class Owners {
  readonly tokens: OwnerTokens
  /** Where the tokens are shown; undefined where they are kept there. */
  readonly #shownAt: string | undefined
  readonly #keptIn: string
  #isShown = false

  private constructor(tokens: OwnerTokens, keptIn: string, shownAt: string | undefined) {
    this.tokens = tokens
    this.#keptIn = keptIn
    this.#shownAt = shownAt
  }

  static async open(run: string): Promise<Owners> {
    const [kept, shownAt] = [await keptOwnersOf(run), ownersDirectoryOf(run)]
    if (kept === shownAt) return new Owners(await OwnerTokens.open(kept), kept, undefined)
    await mkdir(run, { recursive: true, mode: 0o711 })
    await ownDirectory(dirname(kept), 0o700)
    return new Owners(await OwnerTokens.open(kept, shownAt), kept, shownAt)
  }

  /** Those of what is mounted are looked at, for its owner may have changed meanwhile. */
  async start({ found, host, saves }: Pick<Engine, 'found' | 'host' | 'saves'>): Promise<void> {
    const resident = new Set<string>(found.residents.map(({ id }) => id))
    await this.tokens.begin((id) => resident.has(id) || saves.state(id as ProjectId) !== undefined)
    const mounted = found.residents.filter((one) => one.mounted)
    await Promise.all(mounted.map(({ id }) => this.mounted(id, mountPointOf(host, id))))
    await this.#show().catch((error: unknown) =>
      complain(`owners have no tokens, and root alone can ask: ${messageOf(error)}`),
    )
  }

  /** Nobody needs a token while no daemon answers. */
  async close(): Promise<void> {
    if (this.#shownAt === undefined || !this.#isShown) return
    await hideView(this.#shownAt).catch((error: unknown) =>
      complain(`${this.#shownAt} is mounted still: ${messageOf(error)}`),
    )
  }

  async #show(): Promise<void> {
    if (this.#shownAt === undefined) return
    // One of a daemon that was killed.
    await hideView(this.#shownAt)
    await ownDirectory(this.#shownAt, 0o711)
    // What an earlier version has kept there.
    for (const name of await readdir(this.#shownAt)) await rm(join(this.#shownAt, name), { recursive: true })
    // Until it is read-only nobody is let in.
    await chmod(this.#keptIn, 0o700)
    await showReadOnly(this.#keptIn, this.#shownAt)
    this.#isShown = true
    await chmod(this.#keptIn, 0o711)
  }

  /** A project that is open is worth more than its owner's token: the next open tries again. */
  async mounted(id: ProjectId, path: string): Promise<void> {
    try {
      await this.tokens.settle(id, path)
    } catch (error) {
      complain(`the owner of project ${id} has no token: ${messageOf(error)}`)
    }
  }

  left(id: ProjectId, how: Leaving): void {
    try {
      if (how === 'evicted') this.tokens.leave(id)
      else this.tokens.remove(id)
    } catch (error) {
      complain(`the token of project ${id}, which has left, is still there: ${messageOf(error)}`)
    }
  }
}

const complain = (text: string): void => void process.stderr.write(`tidepool: ${text}\n`)
