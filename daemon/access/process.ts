/**
 * The access process: serves the root of links, from what it knows by itself for as long as that is enough. It is apart from the
 * daemon, so that one that is busy, dead or being replaced disturbs no walk into what is mounted.
 */
import { join } from 'node:path'
import { type HowServingEnded, keepServing } from '../../native/fuse/kept.ts'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import { type Clock, systemClock } from '../../pipeline/base/clock.ts'
import { DaemonClient } from './client.ts'
import { Counts } from './figures.ts'
import type { Browse } from './layer.ts'
import { Listing } from './listing.ts'
import { Mounted } from './mounted.ts'
import { Paths } from './paths.ts'
import { PROBE, rootHandlers } from './root.ts'

export interface AccessProcessOptions {
  /** Where the links are, absolute: a fixed path, and never one below which this process looks. */
  readonly root: string
  /** Where projects are mounted. */
  readonly mountRoot: string
  /** Of the daemon. */
  readonly socket: string
  readonly browse: Browse
  /** @default 115 s */
  readonly waitLimitMs?: number
  readonly clock?: Clock
  readonly log: (line: string) => void
}

const QUICK_MS = 5000
const WAIT_LIMIT_MS = 115_000
/** The daemon counts a project as used for much longer than this. */
const TELL_EVERY_MS = 5000

/** Until the signal fires, or another process is to go on. Resolves unmounted. */
export async function serveAccess(
  options: AccessProcessOptions,
  signal: AbortSignal,
  served: () => void,
): Promise<HowServingEnded> {
  const { root, mountRoot, socket, browse, waitLimitMs = WAIT_LIMIT_MS, clock = systemClock, log } = options
  const counts = new Counts()
  const mounted = new Mounted({ mountRoot, clock })
  const client = new DaemonClient({
    socket,
    clock,
    waitLimitMs,
    forget: () => mounted.forget(),
    hold: (id) => mounted.hold(join(mountRoot, id)),
    release: (id) => mounted.release(id && join(mountRoot, id)),
    mounted: () => void mounted.refresh().catch(() => {}), // the next look reads it again
    connected: () => void listing.refresh(),
    figures: (waiting) => counts.figures(waiting),
  })
  const paths = new Paths(mountRoot, mounted, client)
  const listing = new Listing(browse, mounted, client, clock)
  const ending = new LinkedAbort(signal)
  const beside = [
    client.run(ending.signal),
    tellAgain([() => paths.tellUsed(), () => client.tellFigures()], clock, ending.signal),
  ]
  const end = async (): Promise<void> => {
    ending.abort(new Error('the access process stops'))
    ending.leave()
    await Promise.all(beside)
  }
  try {
    return await keepServing(
      {
        path: root,
        probe: PROBE,
        clock,
        log,
        ending: end,
        limits: { quickMs: QUICK_MS, readlinkMs: waitLimitMs + QUICK_MS },
        failed: (operation, error) =>
          log(`${operation} failed: ${error instanceof Error ? error.stack : error}`),
        answered: counts.answered,
        handlers: rootHandlers({
          mountRoot,
          madeAtMs: clock.wallMs(),
          listed: () => listing.ids,
          pathOf: (id) => paths.of(id),
        }),
      },
      signal,
      served,
    )
  } finally {
    await end()
  }
}

async function tellAgain(tell: readonly (() => void)[], clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(TELL_EVERY_MS, signal).catch(() => {})
    for (const one of tell) one()
  }
}
