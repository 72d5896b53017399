/** The store's clock: what the nodes' clocks agree on. */
import type { Host } from 'cassandra-driver'
import { StoreUnavailableError, TidepoolError } from '../../base/errors.ts'
import type { CallOptions } from '../contract.ts'
import type { Session } from './session.ts'

export const MOST_DIFFERENCE_MS = 60_000

/** A node's clock as it was seen from here: it showed `shownMs` at some moment between the two. */
export interface Reading {
  readonly node: string
  readonly shownMs: number
  readonly askedMs: number
  readonly answeredMs: number
}

/** Asks every node that is connected: with two sessions, those of both data centres. */
export async function storeTimeMs(sessions: readonly Session[], { signal }: CallOptions): Promise<number> {
  signal?.throwIfAborted()
  const asked = sessions.flatMap((session) =>
    session.client
      .getState()
      .getConnectedHosts()
      .map((host) => askNode(session, host, signal)),
  )
  const readings = await Promise.allSettled(asked)
  signal?.throwIfAborted()
  const seen = readings.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  if (seen.length > 0) return agreedMs(seen)
  const [first] = readings
  if (first?.status === 'rejected') throw first.reason
  throw new StoreUnavailableError('no node is up whose clock could be read', {
    hint: 'See that enough nodes are up (`nodetool status`) and reachable from here.',
  })
}

async function askNode(session: Session, host: Host, signal: AbortSignal | undefined): Promise<Reading> {
  const askedMs = performance.now()
  const query = 'SELECT toTimestamp(now()) AS now FROM system.local'
  const options = { prepare: true, isIdempotent: true, host }
  const result = await session.read(query, [], options, { what: `clock of ${host.address}`, signal })
  const shown: Date = result.first().get('now')
  return { node: host.address, shownMs: shown.getTime(), askedMs, answeredMs: performance.now() }
}

/** What the slowest clock shows at the last answer: grace counted by it is rather too long. */
export function agreedMs(readings: readonly Reading[]): number {
  const offsets = readings.map(({ node, shownMs, askedMs, answeredMs }) => ({
    node,
    least: shownMs - answeredMs,
    most: shownMs - askedMs,
  }))
  const slow = offsets.reduce((a, b) => (b.most < a.most ? b : a))
  const fast = offsets.reduce((a, b) => (b.least > a.least ? b : a))
  if (fast.least - slow.most > MOST_DIFFERENCE_MS)
    throw new TidepoolError(
      'clocks-differ',
      `the clocks of ${fast.node} and ${slow.node} differ by ${Math.round((fast.least - slow.most) / 1000)} s`,
      { hint: 'Set the clocks of all nodes (chrony, ntp); until then nothing is removed.' },
    )
  return Math.floor(Math.max(...readings.map(({ answeredMs }) => answeredMs)) + slow.least)
}
