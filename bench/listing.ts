/** What `ls` of the root costs where the store knows many projects and the root shows all of them. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { projectId } from '../pipeline/base/ids.ts'
import { createProject } from '../pipeline/graph/transitions/life.ts'
import { openStore } from '../pipeline/stores/open.ts'
import { eventually } from '../test/support/fuse.ts'
import { withHosts } from '../test/support/hosts.ts'
import { spread } from './pairs.ts'
import type { Row } from './report.ts'

const KNOWN = 10_000
const LISTING_AT_MOST_MS = 100
const LISTINGS = 50
/** Transactions of the store at a time. */
const AT_ONCE = 32
const SHOWN_LIMIT_MS = 60_000

/** The kernel asks for the names alone; `ls -l` would ask for each one's attributes too, which it keeps. */
export async function listing(): Promise<Row> {
  let row: Row | undefined
  await withHosts(
    async ([host], directory) => {
      if (!host) throw new Error('there is no host')
      await know(`dir:${join(directory, 'store')}`)
      await host.daemon()
      await host.access()
      await eventually(
        'all are shown',
        SHOWN_LIMIT_MS,
        async () => (await readdir(host.root)).length === KNOWN,
      )
      const took: number[] = []
      for (let look = 0; look < LISTINGS; look++) {
        const startedMs = performance.now()
        const names = await readdir(host.root)
        took.push(performance.now() - startedMs)
        if (names.length !== KNOWN) throw new Error(`${names.length} are shown`)
      }
      const between = spread(took)
      row = {
        name: `listing of the root, ${KNOWN} projects known and shown`,
        value: between.median,
        unit: 'ms',
        spread: between,
        target: { atMost: LISTING_AT_MOST_MS },
      }
    },
    { browse: 'all' },
  )
  if (!row) throw new Error('nothing was listed')
  return row
}

async function know(url: string): Promise<void> {
  const { store, close } = await openStore(url)
  try {
    const nowMs = await store.catalogue.nowMs()
    for (let from = 0; from < KNOWN; from += AT_ONCE)
      await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, KNOWN - from) }, (_, index) =>
          store.catalogue.apply(createProject(projectId(`known-${from + index}`), { owner: null, nowMs })),
        ),
      )
  } finally {
    await close()
  }
}
