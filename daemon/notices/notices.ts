/**
 * Tells owners what their projects suffer from where they look anyway: a file in `.notices` beside the projects for each one that
 * cannot be saved or written to, or that another host has taken, for its owner's eyes, gone once it is well again.
 */
import { chmod, chown, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../pipeline/base/clock.ts'
import { messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { localTime } from '../cli/output.ts'
import { type DivergedProject, divergedText } from '../projects/diverged.ts'
import type { SaveQueue } from '../projects/save-queue.ts'

export interface NoticesOptions {
  readonly directory: string
  readonly clock: Clock
  readonly saves: Pick<SaveQueue, 'failing' | 'state'>
  /** What is open here and belongs to another host by now. */
  readonly diverged: () => readonly Omit<DivergedProject, 'error'>[]
  /** What nobody can write to while this host is lost. */
  readonly readOnly: () => readonly { readonly id: ProjectId }[]
  /** Whose owner may read it: where the project is mounted. */
  readonly mountPointOf: (id: ProjectId) => string
  /** Everybody may see whose projects are not well. */
  readonly isListed: boolean
}

const LOOK_EVERY_MS = 2000

export class Notices {
  readonly #options: NoticesOptions
  readonly #told = new Map<ProjectId, string>()

  constructor(options: NoticesOptions) {
    this.#options = options
  }

  /** Until the signal fires. What cannot be written is tried again: a full disk keeps nothing else from going on. */
  async run(signal: AbortSignal): Promise<void> {
    const { directory, isListed, clock } = this.#options
    let isReady = false
    while (!signal.aborted) {
      try {
        if (!isReady) {
          await mkdir(directory, { recursive: true, mode: 0o711 })
          await chmod(directory, isListed ? 0o755 : 0o711)
          for (const name of await readdir(directory)) await rm(join(directory, name), { force: true })
          isReady = true
        }
        await this.look()
      } catch {
        // The disk is full, or somebody else's hand was there; the next look may do better.
      }
      await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {})
    }
  }

  /** Brings the files up to date. */
  async look(): Promise<void> {
    const { saves, diverged, readOnly, directory } = this.#options
    const notices = new Map<ProjectId, { readonly why: string; readonly text: (why: string) => string }>()
    for (const one of diverged())
      notices.set(one.id, { why: divergedText(one), text: (why) => this.#divergedText(one.id, why) })
    for (const { id, error } of saves.failing)
      notices.set(id, { why: messageOf(error), text: (why) => this.#text(id, error, why) })
    for (const { id } of readOnly()) {
      const more = notices.get(id)
      notices.set(id, {
        why: `it is read-only; ${more?.why ?? ''}`,
        text: () => [this.#readOnlyText(id), ...(more ? [more.text(more.why)] : [])].join('\n'),
      })
    }
    for (const id of [...this.#told.keys()])
      if (!notices.has(id)) {
        await rm(join(directory, id), { force: true })
        this.#told.delete(id)
      }
    for (const [id, { why, text }] of notices) {
      if (this.#told.get(id) === why) continue
      // One that is not mounted any more has nobody to be told for the moment, and must not keep others from it.
      await this.#write(id, text(why)).then(
        () => this.#told.set(id, why),
        () => {},
      )
    }
  }

  #divergedText(id: ProjectId, why: string): string {
    return [
      `${localTime(this.#options.clock.wallMs())}: ${why}.`,
      'What you write here from now on is kept beside the project, and is no part of it. Leave it, and open it where it is.',
      `What was written here stays: \`tidepool history ${id}\` lists its points.`,
      '',
    ].join('\n')
  }

  #readOnlyText(id: ProjectId): string {
    return [
      `${localTime(this.#options.clock.wallMs())}: project ${id} is read-only here, for this host has lost touch with the store.`,
      'Nothing that was written is lost. It is writable again by itself, unless another host has it by then.',
      '',
    ].join('\n')
  }

  #text(id: ProjectId, error: unknown, why: string): string {
    const { clock, saves } = this.#options
    const state = saves.state(id)
    const nowMs = clock.wallMs()
    const savedMs = state ? nowMs - (clock.monotonicMs() - state.savedUpToMs) : nowMs
    const hint = error instanceof TidepoolError ? error.hint : undefined
    return [
      `${localTime(nowMs)}: project ${id} could not be saved: ${why}`,
      ...(hint === undefined ? [] : [hint]),
      `What was written after ${localTime(savedMs)} is on this host alone. It is tried again until it succeeds.`,
      '',
    ].join('\n')
  }

  /** Appears whole, and never for a moment readable by others. */
  async #write(id: ProjectId, text: string): Promise<void> {
    const { directory, mountPointOf } = this.#options
    const { uid, gid } = await stat(mountPointOf(id))
    const path = join(directory, id)
    const made = `${path}.new`
    await rm(made, { force: true })
    await writeFile(made, text, { mode: 0o400, flag: 'wx' })
    await chown(made, uid, gid)
    await rename(made, path)
  }
}
