/**
 * Projects on a real ZFS and a directory store, beside the bare pipes of the same streams: saves beside
 * `zfs send | cat > file; sync`, opens beside `zfs receive < file`. Figures are times, so less is better.
 */
import { rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { close } from '../daemon/projects/close.ts'
import { createProjectHere } from '../daemon/projects/create.ts'
import type { ProjectHost } from '../daemon/projects/host.ts'
import { liveName } from '../daemon/projects/names.ts'
import { open } from '../daemon/projects/open.ts'
import { requireResident } from '../daemon/projects/resident.ts'
import { save } from '../daemon/projects/save.ts'
import { destroyDataset } from '../native/zfs/dataset.ts'
import { childOf } from '../native/zfs/names.ts'
import { type Guid, type ProjectId, projectId } from '../pipeline/base/ids.ts'
import { MIB } from '../pipeline/base/units.ts'
import { pathToHead } from '../pipeline/graph/plan.ts'
import { run } from './child.ts'
import { changeMixed, writeMixed } from './mixed-files.ts'
import { type Paired, spread } from './pairs.ts'
import { type BenchWorld, drop, settle, timed, withBenchWorld } from './project-world.ts'
import type { Row, Settings, Suite } from './report.ts'

const STEPS = 5
const UNCHANGED = 20

export const projects: Suite = async (settings) => {
  const rows: Row[] = []
  await withBenchWorld(settings, async (world) => {
    rows.push(...(await new Bench(world, settings).all()))
  })
  return rows
}

class Bench {
  readonly #host: ProjectHost
  readonly #stored: string
  readonly #settings: Settings
  #made = 0

  constructor({ host, stored }: BenchWorld, settings: Settings) {
    this.#host = host
    this.#stored = stored
    this.#settings = settings
  }

  async all(): Promise<Row[]> {
    const { tell, projectBytes, random } = this.#settings
    tell('full saves')
    const rows: Row[] = [await this.#fullSaves()]
    const id = await this.#project()
    const { path } = await open(this.#host, id.id)
    const files = await writeMixed(path, projectBytes, random)
    await save(this.#host, id.id)
    tell('opens')
    rows.push(await this.#opens(id.id, 'open, a path of one stream'))
    await open(this.#host, id.id)
    tell('small saves')
    rows.push(await this.#smallSaves(id.id, files))
    tell('opens after those saves')
    rows.push(await this.#opens(id.id, 'open, the path after those saves'))
    tell('saves of what is unchanged')
    rows.push(await this.#unchanged(id.id))
    return rows
  }

  async #project(): Promise<{ id: ProjectId; path: string }> {
    const id = projectId(`bench${++this.#made}`)
    const { path } = await createProjectHere(this.#host, id)
    return { id, path }
  }

  /** Each of a project of its own: a first save is a full stream. */
  async #fullSaves(): Promise<Row> {
    const { zfs, parent } = this.#host
    const { random, pairs, projectBytes } = this.#settings
    const measured: { ours: number; raw: number }[] = []
    for (let pair = 0; pair < pairs; pair++) {
      const { id, path } = await this.#project()
      await writeMixed(path, projectBytes, random)
      await settle(zfs, liveName(parent, id))
      const first = await timed(() => save(this.#host, id))
      const raw = await this.#rawSend(id, null, first.result.point)
      measured.push({ ours: first.seconds, raw })
      await this.#forget(id)
    }
    return timesRow('full save', 'zfs send | cat > file; sync', measured, { atMost: 1.15 })
  }

  async #smallSaves(id: ProjectId, files: readonly string[]): Promise<Row> {
    const { zfs, parent } = this.#host
    const { random, pairs, projectBytes } = this.#settings
    const measured: { ours: number; raw: number }[] = []
    for (let pair = 0; pair < Math.max(pairs, STEPS); pair++) {
      await changeMixed(files, projectBytes * (0.01 + 0.04 * random()), random)
      await settle(zfs, liveName(parent, id))
      const { seconds, result } = await timed(() => save(this.#host, id))
      if (result.kind !== 'saved') throw new Error('nothing was saved')
      measured.push({ ours: seconds, raw: await this.#rawSend(id, result.base, result.point) })
    }
    return timesRow('save of 1 to 5 % changed', 'zfs send -i | cat > file; sync', measured, { atMost: 1.5 })
  }

  /** The yardstick comes second, and so finds what it reads in memory. */
  async #rawSend(id: ProjectId, from: Guid | null, to: Guid): Promise<number> {
    const file = join(this.#settings.scratch, 'raw')
    const { snapshots, bookmarks } = await requireResident(this.#host, id)
    const name = (guid: Guid): string => {
      // Where ZFS has bookmarks, a base is one as soon as it was saved from.
      const found = [...snapshots, ...bookmarks].find((one) => one.guid === guid)
      if (!found) throw new Error(`there is no snapshot ${guid} any more`)
      return found.name
    }
    const args = [...(from === null ? [] : ['-i', name(from)]), name(to)]
    await run(['sync'])
    const { seconds } = await timed(() =>
      run(['sh', '-c', 'file=$1; shift; zfs send "$@" | cat > "$file"; sync', 'sh', file, ...args]),
    )
    rmSync(file)
    return seconds
  }

  async #opens(id: ProjectId, what: string): Promise<Row> {
    const { zfs, parent } = this.#host
    const { project } = await close(this.#host, id)
    const path = pathToHead(project) ?? []
    const root = join(this.#stored, id)
    const files = path.map(({ writeId }) => join(root, `${writeId}.zstream`))
    const measured: { ours: number; raw: number }[] = []
    const ours = async (): Promise<number> => {
      await drop(this.#host, id)
      const { seconds, result } = await timed(() => open(this.#host, id))
      if (result.receivedStreams !== path.length) throw new Error('the path changed meanwhile')
      return seconds
    }
    const raw = async (): Promise<number> => {
      const target = childOf(parent, 'raw')
      const script = 'target=$1; shift; for f; do zfs receive -u "$target" < "$f" || exit 1; done'
      const { seconds } = await timed(() => run(['sh', '-c', script, 'sh', target, ...files]))
      await destroyDataset(zfs, target, { withSnapshots: true })
      return seconds
    }
    for (let pair = 0; pair < this.#settings.pairs; pair++)
      if (this.#settings.random() < 0.5) measured.push({ ours: await ours(), raw: await raw() })
      else {
        const first = await raw()
        measured.push({ ours: await ours(), raw: first })
      }
    const bytes = path.reduce((sum, { manifest }) => sum + Number(manifest?.bytes ?? 0n), 0) / MIB
    return timesRow(
      what,
      'zfs receive < file',
      measured,
      { atMost: 1.1 },
      `${path.length} streams, ${bytes.toFixed(0)} MiB`,
    )
  }

  /** Costs no stream; where ZFS counts what was written not even a snapshot. */
  async #unchanged(id: ProjectId): Promise<Row> {
    await open(this.#host, id)
    const before = (await this.#host.store.catalogue.read(id))?.statics.rev
    const seconds: number[] = []
    for (let count = 0; count < UNCHANGED; count++) {
      const { seconds: took, result } = await timed(() => save(this.#host, id, { quick: true }))
      if (result.kind !== 'unchanged') throw new Error('it was not changed, and yet was saved')
      seconds.push(took)
    }
    if ((await this.#host.store.catalogue.read(id))?.statics.rev !== before)
      throw new Error('the store was written')
    const took = spread(seconds)
    return { name: 'save of an unchanged project', value: took.median * 1000, unit: 'ms', spread: took }
  }

  async #forget(id: ProjectId): Promise<void> {
    await close(this.#host, id)
    await drop(this.#host, id)
    // The next one's bytes come to a disk as empty as this one's.
    rmSync(join(this.#stored, id), { recursive: true })
    await mkdir(join(this.#stored, id))
  }
}

export function timesRow(
  name: string,
  yardstick: string,
  measured: readonly { readonly ours: number; readonly raw: number }[],
  target?: Row['target'],
  note?: string,
): Row {
  const paired: Paired = {
    ours: spread(measured.map(({ ours }) => ours)),
    yardstick: spread(measured.map(({ raw }) => raw)),
    ratio: spread(measured.map(({ ours, raw }) => ours / raw)),
    pairs: measured.length,
  }
  return {
    name,
    value: paired.ours.median,
    unit: 's',
    spread: paired.ours,
    yardstick: { name: yardstick, value: paired.yardstick.median, ratio: paired.ratio, pairs: paired.pairs },
    ...(target && { target }),
    ...(note !== undefined && { note }),
  }
}
