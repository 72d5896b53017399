/** What users of `/projects` wait for, and what a daemon needs before it serves them. */
import { withFullDaemon } from './full-daemon.ts'
import { spread } from './pairs.ts'
import type { Row, Suite } from './report.ts'
import { firstTouches } from './touches.ts'

const KNOWN = 100_000
const RESIDENT = 1_000
const READY_AT_MOST_S = 2
const RSS_AT_MOST_MIB = 300
const MIB = 2 ** 20

export const access: Suite = async (settings) => [
  ...(await ready(settings.pairs)),
  ...(await firstTouches(settings)),
]

async function ready(pairs: number): Promise<Row[]> {
  const rows: Row[] = []
  await withFullDaemon({ known: KNOWN, resident: RESIDENT, mounted: false }, async ({ start }) => {
    const took: number[] = []
    let rssBytes = 0
    for (let round = 0; round < pairs; round++) {
      const startedMs = performance.now()
      const daemon = await start()
      took.push((performance.now() - startedMs) / 1000)
      rssBytes = Math.max(rssBytes, process.memoryUsage.rss())
      await daemon.stop()
    }
    const between = spread(took)
    rows.push(
      {
        name: `ready, ${KNOWN} projects known and ${RESIDENT} resident`,
        value: between.median,
        unit: 's',
        spread: between,
        target: { atMost: READY_AT_MOST_S },
      },
      {
        name: 'memory of that daemon',
        value: rssBytes / MIB,
        unit: 'MiB',
        target: { atMost: RSS_AT_MOST_MIB },
        note: 'with the store in it, and what runs the sources',
      },
    )
  })
  return rows
}
