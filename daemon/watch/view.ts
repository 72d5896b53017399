/** What somebody who looks on sees at one moment: the host, each project in its pool, and what was done lately. */
import { messageOf } from '../../pipeline/base/errors.ts'
import { operationView } from '../control/operation-view.ts'
import { statusView } from '../control/status-view.ts'
import { unsavedPart } from '../control/unsaved.ts'
import { hereView } from '../control/views.ts'
import type { Daemon } from '../daemon.ts'
import type { Operation } from '../operations/operation.ts'

/** How far it is, where somebody has asked for what is being done with it. */
function movingPart(operation: Operation | undefined) {
  if (!operation) return null
  const { step, doneBytes, totalBytes, bytesPerSecond, leftMs } = operationView(operation)
  return { step, doneBytes, totalBytes, bytesPerSecond, leftMs }
}

export async function lookView(daemon: Daemon) {
  const { engine } = daemon
  const found = await engine.inPool()
  const { residents } = found
  const status = await statusView(daemon, found)
  const moving = new Map(
    daemon.journal.operations.all
      .filter(({ state }) => state === 'running')
      .map((one) => [one.asked.project, one]),
  )
  const projects = residents.map((one) => ({
    id: one.id,
    mounted: one.mounted,
    usedBytes: one.usedBytes,
    writtenBytes: one.writtenBytes ?? null,
    atRisk: unsavedPart(engine, one) !== undefined,
    moving: movingPart(moving.get(one.id)),
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
