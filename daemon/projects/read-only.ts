/**
 * `onHostLoss: readonly`: while this host has lost its place in the store, and another may have its projects, nobody writes to what is
 * mounted here; once it is back, what is its own still is writable again. What it made read-only stands in the state directory before
 * it is, so that a start after a crash undoes it.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { rows, value } from '../../native/zfs/get.ts'
import type { DatasetName } from '../../native/zfs/names.ts'
import { makeReadOnly, makeWritable } from '../../native/zfs/read-only.ts'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { readProject } from '../../pipeline/graph/settle.ts'
import type { ActOptions, ProjectHost } from './host.ts'
import { EPOCH_PROPERTY, idOfName, liveName, roleOf } from './names.ts'
import { readStateFile, writeStateFile } from './state-file.ts'

const FILE = 'read-only.json'
const schema = z.object({ projects: z.array(z.string().transform((text) => projectId(text))) })

/** What was opened a moment before, or could not be made so, is the next time. */
const INTERVAL_MS = 10_000

export interface ReadOnlyProject {
  readonly id: ProjectId
  /** False where files that were open for writing still take what is written to them: zfs-fuse alone. */
  readonly complete: boolean
}

export interface ReadOnlyOptions {
  readonly host: Pick<ProjectHost, 'zfs' | 'parent' | 'clock' | 'store' | 'host'>
  /** This host may not act, and another may. */
  readonly isLost: () => boolean
  /** What is to be done then. */
  readonly onHostLoss: () => 'keep' | 'readonly'
  /** Hears of each that becomes so, and of its end. */
  readonly onChange: (id: ProjectId, isReadOnly: boolean) => void
}

export class ReadOnlyWhileLost {
  readonly #options: ReadOnlyOptions
  readonly #file: string
  /** Ours to give back, as the file has them. */
  #held: ReadonlySet<ProjectId>
  /** Made so since this host was lost, with whether that is complete. */
  readonly #made = new Map<ProjectId, boolean>()
  /** Read-only by somebody else's wish. */
  readonly #leftAlone = new Set<ProjectId>()
  #error: unknown
  #pause: LinkedAbort | undefined
  /** One change at a time. */
  #doing: Promise<unknown> = Promise.resolve()

  private constructor(file: string, held: Iterable<ProjectId>, options: ReadOnlyOptions) {
    this.#file = file
    this.#held = new Set(held)
    this.#options = options
  }

  /** Rejects with `read-only-damaged` rather than leave for ever what nobody could write to any more. */
  static async open(directory: string, options: ReadOnlyOptions): Promise<ReadOnlyWhileLost> {
    const file = join(directory, FILE)
    const found = await readStateFile(file, schema).catch((cause: unknown) => {
      throw new TidepoolError(
        'read-only-damaged',
        `${file} does not say which projects were made read-only`,
        {
          cause,
          hint: `Remove it; \`zfs get -r readonly ${options.host.parent}\` shows them, \`zfs inherit readonly NAME\` ends it.`,
        },
      )
    })
    return new ReadOnlyWhileLost(file, found?.projects ?? [], options)
  }

  get all(): readonly ReadOnlyProject[] {
    return [...this.#held].map((id) => ({ id, complete: this.#made.get(id) ?? true }))
  }

  /** Why the last turn did not do all that it was to. */
  get error(): unknown {
    return this.#error
  }

  /** Whether this host is lost, or what is to be done then. */
  changed(): void {
    this.#pause?.abort(undefined)
  }

  /** Until the signal fires; then all stays as it is. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pause = new LinkedAbort(signal)
      this.#pause = pause
      try {
        await this.#turn({ signal }, pause.signal)
        await this.#options.host.clock.sleep(INTERVAL_MS, pause.signal).catch(() => {})
      } finally {
        pause.leave()
      }
    }
  }

  /** Before it is mounted anew, or leaves its name: it is what the next mount is that counts. */
  async release(id: ProjectId, options: ActOptions = {}): Promise<void> {
    if (!this.#held.has(id)) return
    await this.#alone(() => this.#giveBack([id], options))
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#doing.then(work)
    this.#doing = done.catch(() => {})
    return done
  }

  get #isWanted(): boolean {
    const { isLost, onHostLoss } = this.#options
    return isLost() && onHostLoss() === 'readonly'
  }

  /** `changed` fires where the host is lost, or back, before it has ended. */
  async #turn(options: ActOptions, changed: AbortSignal): Promise<void> {
    try {
      if (this.#isWanted) await this.#alone(() => this.#hold(options))
      else {
        this.#leftAlone.clear()
        // For a store that is slow to answer nobody waits who is about to mount one, nor the next loss.
        const { ids, unread } = await this.#toGiveBack({ signal: changed })
        await this.#alone(() => this.#giveBack(ids, options))
        if (unread !== undefined) throw unread
      }
      this.#error = undefined
    } catch (error) {
      if (!changed.aborted) this.#error = error
    }
  }

  /** What is mounted here, whatever is under way in it: setting a property waits for no lock of ours, and a hung save must not delay it. */
  async #mounted(): Promise<ReadonlySet<ProjectId>> {
    const { zfs, parent } = this.#options.host
    const mounts = await readMounts(zfs.commands.settings.mountInfo)
    const ids = mounts.flatMap(({ source }) => {
      const isLive = source.startsWith(`${parent}/`) && roleOf(source as DatasetName)?.role === 'live'
      return isLive ? (idOfName(parent, source) ?? []) : []
    })
    return new Set(ids)
  }

  async #hold(options: ActOptions): Promise<void> {
    const { zfs, parent } = this.#options.host
    const mounted = await this.#mounted()
    const waiting = [...mounted].filter((id) => this.#made.get(id) !== true && !this.#leftAlone.has(id))
    const unseen = waiting.filter((id) => !this.#made.has(id) && !this.#held.has(id))
    const isSo = unseen.length > 0 ? await this.#readOnlyNow(options) : new Set<ProjectId>()
    for (const id of unseen) if (isSo.has(id)) this.#leftAlone.add(id)
    const ours = waiting.filter((id) => !this.#leftAlone.has(id))
    await this.#record([...this.#held, ...ours])
    const failures: unknown[] = []
    await Promise.all(
      ours.map(async (id) => {
        try {
          const complete = await makeReadOnly(zfs, liveName(parent, id), run(options))
          if (!this.#made.has(id)) this.#options.onChange(id, true)
          this.#made.set(id, complete)
        } catch (error) {
          failures.push(error)
        }
      }),
    )
    if (failures.length > 0) throw failures[0]
  }

  async #readOnlyNow(options: ActOptions): Promise<ReadonlySet<ProjectId>> {
    const { zfs, parent } = this.#options.host
    const found = new Set<ProjectId>()
    const how = { depth: 1, types: ['filesystem'], ...run(options) } as const
    for await (const { name, properties } of rows(zfs, parent, ['readonly'], how)) {
      const { value: is, source } = properties.get('readonly') ?? {}
      // zfs-fuse tells how it is mounted, which is writable always: `off` by `temporary` is what was set `on`.
      const id = is === 'on' || source === 'temporary' ? idOfName(parent, name) : undefined
      if (id !== undefined && name === liveName(parent, id)) found.add(id)
    }
    return found
  }

  /** What another host has taken stays read-only until nobody is in it: what is written there would be lost to all but a side point. */
  async #toGiveBack(
    options: ActOptions,
  ): Promise<{ readonly ids: readonly ProjectId[]; readonly unread?: unknown }> {
    if (this.#held.size === 0) return { ids: [] }
    const mounted = await this.#mounted()
    const ids: ProjectId[] = []
    let unread: unknown
    for (const id of this.#held)
      try {
        // Lost, and yet not to be read-only: the configuration was changed, and the store may be away.
        if (!mounted.has(id) || this.#options.isLost() || (await this.#isOurs(id, options))) ids.push(id)
      } catch (error) {
        options.signal?.throwIfAborted()
        unread = error
      }
    return { ids, unread }
  }

  async #isOurs(id: ProjectId, options: ActOptions): Promise<boolean> {
    const { zfs, parent, store, host } = this.#options.host
    const { statics } = await readProject(store.catalogue, id, options)
    if (statics.life !== 'live' || statics.owner !== host) return false
    const opened = await value(zfs, liveName(parent, id), EPOCH_PROPERTY, run(options))
    return opened === String(statics.epoch)
  }

  async #giveBack(ids: readonly ProjectId[], options: ActOptions): Promise<void> {
    const { zfs, parent } = this.#options.host
    const done = new Set<ProjectId>()
    const failures: unknown[] = []
    await Promise.all(
      ids.map(async (id) => {
        if (!this.#held.has(id)) return
        try {
          await makeWritable(zfs, liveName(parent, id), run(options))
          done.add(id)
        } catch (error) {
          failures.push(error)
        }
      }),
    )
    for (const id of done) {
      this.#made.delete(id)
      this.#options.onChange(id, false)
    }
    await this.#record([...this.#held].filter((id) => !done.has(id)))
    if (failures.length > 0) throw failures[0]
  }

  /** Durable when it resolves. */
  async #record(ids: readonly ProjectId[]): Promise<void> {
    const next = new Set(ids)
    if (next.size === this.#held.size && [...next].every((id) => this.#held.has(id))) return
    await writeStateFile(this.#file, { projects: [...next] })
    this.#held = next
  }
}

const run = ({ signal }: ActOptions) => (signal ? { signal } : {})
