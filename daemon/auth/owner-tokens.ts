/**
 * A file for each project that is on this host, which its owner alone can read: who knows what is in it is the owner. One that was
 * evicted keeps it, for that is when he asks why; but whose it is by now nobody looked, so it proves enough to ask and not to change anything.
 *
 * The file is the record, also of whose it is, so a restart of the daemon changes nothing. The directory is root's and nobody else can make
 * anything in it; of a project only the owner of its root directory is looked at, and nothing in it is opened, followed
 * or changed. An owner could fill a file of his: how it is shown to him (`owners.ts`) keeps him from it.
 */
import { randomUUID } from 'node:crypto'
import { constants, unlinkSync } from 'node:fs'
import { chmod, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { digestOf, isSame, newSecret } from './secret.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants
const LONGEST_BYTES = 200
/** Of projects that have left; a hundred thousand would be 400 MiB of memory, as files of a page each. */
const MOST_AWAY = 1000
/** An id has no dot. */
const OWN_TEMPORARY = `.${process.pid}.`

interface Kept {
  readonly secret: string
  readonly uid: number
}

/** Rejects with `owners-directory` where somebody else could make files in it. */
export async function ownDirectory(directory: string, mode: number): Promise<void> {
  await mkdir(directory, { recursive: true, mode }).catch((error: unknown) => {
    if (errnoOf(error) !== 'EEXIST') throw error // a file is told below
  })
  const found = await lstat(directory)
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0)
    throw new TidepoolError(
      'owners-directory',
      `${directory} is not a directory that only this daemon may change`,
      { hint: 'Remove it: the daemon makes it anew.' },
    )
  await chmod(directory, mode)
}

/** Of what is on this host, or has been and was evicted. */
export type Proof = 'here' | 'away'

export class OwnerTokens {
  readonly #directory: string
  readonly #shownAt: string
  /** The one that has left first is the first. */
  readonly #away = new Set<string>()

  private constructor(directory: string, shownAt: string) {
    this.#directory = directory
    this.#shownAt = shownAt
  }

  /** Rejects with `owners-directory` where somebody else could make files in it. */
  static async open(directory: string, shownAt = directory): Promise<OwnerTokens> {
    await ownDirectory(directory, 0o711)
    return new OwnerTokens(directory, shownAt)
  }

  /** Where its owner finds it. */
  fileOf(id: ProjectId): string {
    return join(this.#shownAt, id)
  }

  #pathOf(id: string): string {
    return join(this.#directory, id)
  }

  /**
   * Called when a project is mounted at `path`, which is below a directory of root's. Another owner than before gets another secret. Root needs
   * none: a project whose directory is root's has no file.
   */
  async settle(id: ProjectId, path: string): Promise<void> {
    const { uid, gid } = await stat(path)
    this.#away.delete(id)
    if (uid === 0) return rm(this.#pathOf(id), { force: true })
    if ((await this.#read(id))?.uid === uid) return
    const temporary = join(this.#directory, `${OWN_TEMPORARY}${randomUUID()}`)
    try {
      const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
      try {
        await file.writeFile(newSecret())
        await file.chown(uid, gid)
        await file.chmod(0o400)
      } finally {
        await file.close()
      }
      await rename(temporary, this.#pathOf(id))
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  /**
   * `path` is where it is mounted, undefined where it is not. Whoever the directory no longer belongs to proves nothing, and whoever it
   * belongs to by now has a token after this. Undefined where nothing is proved.
   */
  async proves(
    id: ProjectId,
    secret: string | undefined,
    path: string | undefined,
  ): Promise<Proof | undefined> {
    const uid = path === undefined ? undefined : await uidOf(path)
    // Root's: it may have been unmounted this moment, and the next mount settles it.
    if (uid === 0) return undefined
    if (path !== undefined) await this.settle(id, path)
    const kept = await this.#read(id)
    // Compared in any case, so that the time does not tell whether there is such a project.
    const same = isSame(digestOf(secret ?? ''), digestOf(kept?.secret ?? newSecret()))
    if (!same || kept === undefined || (uid !== undefined && uid !== kept.uid)) return undefined
    return this.#away.has(id) ? 'away' : 'here'
  }

  /** At once, so that whoever asked whether it may be removed has the answer of this moment. */
  remove(id: string): void {
    this.#away.delete(id)
    try {
      unlinkSync(this.#pathOf(id))
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }

  /** It was evicted. Of those that have left so for longest there is no token any more. */
  leave(id: string): void {
    this.#away.delete(id)
    this.#away.add(id)
    for (const first of this.#away) {
      if (this.#away.size <= MOST_AWAY) return
      this.remove(first)
    }
  }

  /** What is not here has left; what a killed daemon had begun is removed, and what is nobody's token. */
  async begin(isHere: (id: string) => boolean): Promise<void> {
    const left: { name: string; madeMs: number }[] = []
    for (const name of await readdir(this.#directory)) {
      if (isHere(name) || name.startsWith(OWN_TEMPORARY)) continue
      const { uid, mtimeMs } = await lstat(this.#pathOf(name))
      if (uid === 0 || name.includes('.')) unlinkSync(this.#pathOf(name))
      else left.push({ name, madeMs: mtimeMs })
    }
    for (const { name } of left.sort((a, b) => a.madeMs - b.madeMs)) this.leave(name)
  }

  /** Undefined where there is none that we have made. */
  async #read(id: ProjectId): Promise<Kept | undefined> {
    let file: Awaited<ReturnType<typeof open>>
    try {
      file = await open(this.#pathOf(id), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') return undefined
      throw error
    }
    try {
      const found = await file.stat()
      if (!found.isFile() || found.size === 0 || found.size > LONGEST_BYTES) return undefined
      return { secret: await file.readFile('utf8'), uid: found.uid }
    } finally {
      await file.close()
    }
  }
}

/** What can't be looked at is nobody's but root's. */
async function uidOf(path: string): Promise<number> {
  try {
    return (await stat(path)).uid
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return 0
  }
}
