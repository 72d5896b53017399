/**
 * What a daemon costs that nobody uses: a thousand projects are mounted and none is written. On the fake ZFS, a process of its
 * own, so that the processor time is that of the daemon alone.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { withFullDaemon } from './full-daemon.ts'
import type { Row, Suite } from './report.ts'

const MOUNTED = 1_000
/** Of one core. */
const SHARE_AT_MOST = 1
const MEASURED_MS = 120_000
/** Each has been asked alone once by then: a listing answers only for what was seen saved. */
const SETTLED_LIMIT_MS = 600_000
const LOOK_MS = 10_000
/** Fewer in ten seconds are listings, and the sweeper's looks. */
const QUIET_COMMANDS = 10

export const idle: Suite = async () => {
  const rows: Row[] = []
  await withFullDaemon({ known: MOUNTED, resident: MOUNTED, mounted: true }, async ({ start, commands }) => {
    const daemon = await start()
    if (daemon.engine.saves.size !== MOUNTED) throw new Error(`${daemon.engine.saves.size} are watched`)
    await settled(commands)
    const before = process.cpuUsage()
    const startedMs = performance.now()
    let longestUnsavedMs = 0
    while (performance.now() - startedMs < MEASURED_MS) {
      await sleep(1000)
      longestUnsavedMs = Math.max(longestUnsavedMs, daemon.engine.saves.longestUnsavedMs)
    }
    const { user, system } = process.cpuUsage(before)
    const ran = await commands()
    const usedMs = (user + system) / 1000
    const [failed] = daemon.engine.saves.failing
    if (failed) throw new Error(`project ${failed.id} is not saved`, { cause: failed.error })
    rows.push({
      name: `idle, ${MOUNTED} projects mounted`,
      value: (usedMs / (performance.now() - startedMs)) * 100,
      unit: '% of a core',
      target: { atMost: SHARE_AT_MOST },
      note: `${ran} commands in ${MEASURED_MS / 1000} s; the longest unsaved ${(longestUnsavedMs / 1000).toFixed(0)} s`,
    })
  })
  return rows
}

async function settled(commands: () => Promise<number>): Promise<void> {
  const limitMs = performance.now() + SETTLED_LIMIT_MS
  // The first are due only after most of an interval.
  await sleep(60_000)
  await commands()
  do {
    if (performance.now() > limitMs) throw new Error('it does not become quiet')
    await sleep(LOOK_MS)
  } while ((await commands()) > QUIET_COMMANDS)
}
