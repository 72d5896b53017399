/** A daemon whose store knows many projects and whose pool holds some of them, on the fake ZFS. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { configInPlace } from '../daemon/config/in-place.ts'
import { parseConfig } from '../daemon/config/read.ts'
import { Daemon } from '../daemon/daemon.ts'
import { ID_PROPERTY } from '../daemon/projects/names.ts'
import { unmount } from '../native/zfs/mount.ts'
import { projectDataset } from '../native/zfs/names.ts'
import { projectId } from '../pipeline/base/ids.ts'
import { memoryStore } from '../pipeline/stores/memory.ts'
import { openedInMemory } from '../test/support/daemon.ts'
import { withFakeZfs } from '../test/support/fake-zfs.ts'

export interface FullOptions {
  readonly known: number
  readonly resident: number
  readonly mounted: boolean
}

export interface FullDaemon {
  /** As after a restart of the machine's daemon; it is stopped with the body's end. */
  readonly start: () => Promise<Daemon>
  /** How many commands were run since the last call of this. */
  readonly commands: () => Promise<number>
}

/** One project is made by a daemon; the others are copies of all that the fake and the store know of it. */
export function withFullDaemon(
  { known, resident, mounted }: FullOptions,
  body: (full: FullDaemon) => Promise<void>,
): Promise<void> {
  return withFakeZfs(async (fake) => {
    const at = (name: string): string => join(fake.directory, name)
    const text = configInPlace(fake.directory, { store: 'dir:/unused', dataset: fake.parent })
    const config = parseConfig(text, 'bench.yaml')
    const store = memoryStore()
    const opened = openedInMemory(store)
    let running: Daemon | undefined
    const start = async (): Promise<Daemon> => {
      running = await Daemon.start(config, undefined, { openStore: async () => opened, zfs: fake.zfs })
      return running
    }
    try {
      const first = projectId('p0')
      const made = await start()
      const { path } = await made.engine.create(first)
      await writeFile(join(path, 'file'), 'one\n')
      await made.engine.save(first)
      await made.stop()
      running = undefined
      await unmount(fake.zfs, projectDataset(fake.parent, first))
      const project = store.state.projects.get(first)
      if (!project) throw new Error('it is not in the store')
      const ids = Array.from({ length: known }, (_, index) => projectId(`p${index}`))
      for (const id of ids.slice(1)) store.state.projects.set(id, { ...project, id })
      await fake.state(({ datasets }) => {
        const dataset = datasets[projectDataset(fake.parent, first)]
        if (!dataset) throw new Error('it is not in the pool')
        for (const id of ids.slice(0, resident)) {
          const props = { ...dataset.props, [ID_PROPERTY]: id }
          const copy = { ...dataset, props, ...(mounted && { mounted: at(`mnt/${id}`) }) }
          datasets[projectDataset(fake.parent, id)] = copy
        }
      })
      const commands = async (): Promise<number> => (await fake.calls()).length
      await commands()
      await body({ start, commands })
    } finally {
      await running?.stop()
    }
  })
}
