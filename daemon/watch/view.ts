/** What somebody who looks on sees at one moment: the host, each project in its pool, and what was done lately. */
import { messageOf } from '../../pipeline/base/errors.ts'
import { hereView } from '../control/views.ts'
import type { Daemon } from '../daemon.ts'

/** So many times the interval of saves, and a project that was not saved wants to be looked at. */
const LATE_FACTOR = 2

export async function lookView(daemon: Daemon) {
  const { engine, config } = daemon
  const [status, residents] = await Promise.all([daemon.status(), engine.residents()])
  const projects = residents.map(({ id, mounted, usedBytes, writtenBytes }) => {
    const here = hereView(engine, id)
    const isLate = here.unsavedMs !== null && here.unsavedMs > LATE_FACTOR * config.save.interval
    const hasNews = mounted && writtenBytes !== undefined && writtenBytes > 0n
    const atRisk = here.failedSaves > 0 || isLate || hasNews
    return { id, mounted, usedBytes, writtenBytes: writtenBytes ?? null, atRisk, ...here }
  })
  const atRisk = projects.filter((one) => one.atRisk)
  return {
    atMs: Date.now(),
    status,
    projects,
    unsaved: {
      count: atRisk.length,
      oldestMs: Math.max(0, ...atRisk.map(({ unsavedMs }) => unsavedMs ?? 0)),
      /** Undefined where this ZFS does not count what was written. */
      bytes: engine.host.zfs.capabilities.written
        ? atRisk.reduce((sum, { writtenBytes }) => sum + (writtenBytes ?? 0n), 0n)
        : null,
    },
    limiter: engine.host.limiter.state,
    lately: daemon.watch.lately.map(({ error, tookMs, ...act }) => ({
      ...act,
      tookMs: Math.round(tookMs),
      error: error === undefined ? null : messageOf(error),
    })),
  }
}
