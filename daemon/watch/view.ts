/** What somebody who looks on sees at one moment: the host, each project in its pool, and what was done lately. */
import { messageOf } from '../../pipeline/base/errors.ts'
import { unsavedPart } from '../control/unsaved.ts'
import { hereView } from '../control/views.ts'
import type { Daemon } from '../daemon.ts'

export async function lookView(daemon: Daemon) {
  const { engine } = daemon
  const residents = await engine.residents()
  const status = await daemon.status(residents)
  const projects = residents.map((one) => ({
    id: one.id,
    mounted: one.mounted,
    usedBytes: one.usedBytes,
    writtenBytes: one.writtenBytes ?? null,
    atRisk: unsavedPart(engine, one) !== undefined,
    ...hereView(engine, one.id),
  }))
  return {
    atMs: Date.now(),
    status,
    projects,
    unsaved: status.unsaved,
    limiter: engine.host.limiter.state,
    lately: daemon.watch.lately.map(({ error, tookMs, ...act }) => ({
      ...act,
      tookMs: Math.round(tookMs),
      error: error === undefined ? null : messageOf(error),
    })),
  }
}
