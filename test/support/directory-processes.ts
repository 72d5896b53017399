/** A directory store that several processes share, each of them a child that a test can stop and kill. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { projectId } from '../../pipeline/base/ids.ts'
import { createProject } from '../../pipeline/graph/transitions/life.ts'
import { touchProject } from '../../pipeline/graph/transitions/owner.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { openDirectoryStore } from '../../pipeline/stores/directory/index.ts'
import { temporaryDirectory } from './directory.ts'

const CHILD = fileURLToPath(new URL('directory-child.ts', import.meta.url))
const project = projectId('shared')

export interface Child {
  readonly process: ChildProcess
  readonly lines: string[]
  /** Resolves with the first line that it has not given yet. */
  readonly line: () => Promise<string>
  readonly ended: Promise<unknown>
}

export function child(...args: string[]): Child {
  const started = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), CHILD, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const reader = createInterface({ input: started.stdout })
  let given = 0
  reader.on('line', (line) => lines.push(line))
  return {
    process: started,
    lines,
    ended: once(started, 'close'),
    async line() {
      while (lines.length <= given) await once(reader, 'line')
      return lines[given++] as string
    },
  }
}

export async function inStore(body: (store: Store, root: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  const root = join(path, 'store')
  const store = await openDirectoryStore(root, { init: true })
  try {
    await store.catalogue.apply(createProject(project, { owner: null, nowMs: 0 }))
    await body(store, root)
  } finally {
    await store.close()
    await remove()
  }
}

export async function revOf(store: Store): Promise<bigint> {
  const now = await store.catalogue.read(project)
  assert.ok(now)
  return now.statics.rev
}

export async function touch(store: Store): Promise<boolean> {
  const now = await store.catalogue.read(project)
  assert.ok(now)
  return store.catalogue.apply(touchProject(now))
}

/** The line that it was about to stop itself comes before it has. */
export async function stopped({ process: { pid } }: Child): Promise<void> {
  while (!/^\d+ \(.*\) T/.test(await readFile(`/proc/${pid}/stat`, 'utf8')))
    await new Promise((resolve) => setTimeout(resolve, 5))
}
