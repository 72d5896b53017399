/** This host at a glance: what is open, what is not saved yet, and whether it may act. */
import { hostname } from 'node:os'
import { poolOf } from '../../native/zfs/names.ts'
import { poolState } from '../../native/zfs/pool.ts'
import { messageOf } from '../../pipeline/base/errors.ts'
import type { Daemon } from '../daemon.ts'
import type { Found } from '../projects/reconcile.ts'
import { unsavedOf } from './unsaved.ts'
import { besideView, divergedView, drainView, leftView, stuckView, sweepView } from './views.ts'

/** `found` where the pool was listed just now. */
export async function statusView(daemon: Daemon, found?: Found) {
  const { config, engine, journal, zfs } = daemon
  const { residents, ...beside } = found ?? (await engine.inPool())
  const { error } = engine.membership.state.kind === 'live' ? { error: undefined } : engine.membership.state
  return {
    host: engine.host.host,
    name: config.name ?? hostname(),
    upMs: Date.now() - daemon.startedMs,
    mayAct: engine.membership.state.kind === 'live',
    why: error instanceof Error ? error.message : null,
    store: config.store.replace(/\/\/[^@/]*@/, '//'),
    dataset: config.dataset,
    listens: daemon.url ?? null,
    zfs: zfs.capabilities.version ?? zfs.capabilities.flavour,
    pool: await poolState(zfs, poolOf(engine.host.parent)),
    resident: residents.length,
    mounted: residents.filter(({ mounted }) => mounted).length,
    unsaved: unsavedOf(engine, residents),
    slowSaves: engine.saves.slow.map(({ id, forMs }) => ({ id, forMs: Math.round(forMs) })),
    cache: engine.host.streamCache?.state ?? null,
    open: engine.saves.size,
    failingSaves: engine.saves.failing.map(({ id, error }) => ({
      id,
      why: messageOf(error),
    })),
    busy: engine.host.locks.busy,
    sweep: sweepView(engine.sweeper),
    auditLost: journal.audit.lost.count,
    drain: drainView(engine.drain),
    leftUnsaved: engine.leftUnsaved,
    diverged: engine.diverged.all.map(divergedView),
    asks: engine.asks.all,
    readOnly: engine.readOnly.all,
    readOnlyFailed: engine.readOnly.error === undefined ? null : messageOf(engine.readOnly.error),
    cannotReceive: engine.receivable.lacks,
    stuck: zfs.commands.stuck.map(stuckView),
    beside: besideView(beside),
    leftByStart: leftView(engine.found),
  }
}
