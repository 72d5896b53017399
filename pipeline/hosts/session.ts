/**
 * A host's life in the store: register, renew, end (rules 13, 15, 16, 18). One session at a time may speak for a
 * host id; whoever finds another session in the row stops and does not take it back.
 */
import { OutcomeUnknownError, TidepoolError } from '../base/errors.ts'
import type { HostId, SessionId } from '../base/ids.ts'
import type { CallOptions, Catalogue } from '../stores/contract.ts'
import type { HostRow, HostTransaction, ProcessIdentity } from './state.ts'

export interface HostIdentity {
  readonly host: HostId
  readonly session: SessionId
  readonly name: string
  readonly process: ProcessIdentity | null
}

export interface Registration {
  readonly row: HostRow
  /**
   * The host had been marked dead or had ended, now or before an earlier start that did not get further: it must touch
   * each project it holds, and then `finishReturn`, before it counts as owner again (`returnTouch`).
   */
  readonly returned: boolean
}

const TRIES = 8

/** Makes this session the host's. The session was drawn, and recorded locally, before. */
export async function registerHost(
  catalogue: Catalogue,
  identity: HostIdentity,
  options: CallOptions = {},
): Promise<Registration> {
  let lost: unknown
  for (let tries = 0; tries < TRIES; tries++) {
    const row = await catalogue.readHost(identity.host, options)
    if (row?.session === identity.session) {
      if (row.state === 'live') return { row, returned: row.returning }
      throw sessionLost(identity, row)
    }
    const changedAtMs = await catalogue.nowMs(options)
    try {
      await catalogue.applyHost(registration(identity, row, changedAtMs), options)
    } catch (error) {
      // The next read shows whether our session stands in the row; if it arrives later, it fails on renewSeq.
      if (!(error instanceof OutcomeUnknownError)) throw error
      lost = error
    }
  }
  throw new OutcomeUnknownError(`registration of host ${identity.host}`, lost)
}

/** Holds only where the row still is as it was read. */
export function registration(
  identity: HostIdentity,
  row: HostRow | undefined,
  changedAtMs: number,
): HostTransaction {
  const set: HostRow = {
    ...identity,
    state: 'live',
    changedAtMs,
    renewSeq: (row?.renewSeq ?? 0n) + 1n,
    returning: row !== undefined && (row.state !== 'live' || row.returning),
  }
  return {
    what: `registration of host ${identity.host}`,
    host: identity.host,
    if: row ? { session: row.session, renewSeq: row.renewSeq, state: row.state } : 'absent',
    set,
  }
}

/**
 * One renewal. Resolves with the row as it is now. Rejects with `host-lost` where another session has the host id
 * or somebody marked it dead: then nothing may be committed, evicted or opened until it has registered anew.
 */
export async function renewHost(
  catalogue: Catalogue,
  identity: HostIdentity,
  row: HostRow,
  options: CallOptions = {},
): Promise<HostRow> {
  const set = { renewSeq: row.renewSeq + 1n }
  const renewal: HostTransaction = {
    what: `renewal of host ${identity.host}`,
    host: identity.host,
    if: { session: identity.session, renewSeq: row.renewSeq, state: 'live' },
    set,
  }
  if (await catalogue.applyHost(renewal, options)) return { ...row, ...set }
  const now = await catalogue.readHost(identity.host, options)
  // An earlier renewal whose answer was lost has moved the number: that is ours, and as good.
  if (now?.session === identity.session && now.state === 'live') return now
  throw sessionLost(identity, now)
}

function sessionLost(identity: HostIdentity, now: HostRow | undefined): TidepoolError {
  const other = now !== undefined && now.session !== identity.session
  return new TidepoolError(
    'host-lost',
    other
      ? `host ${identity.host} is spoken for by another session (${now.name}, session ${now.session})`
      : `host ${identity.host} was marked ${now?.state ?? 'gone'} while this session was silent`,
    {
      hint: other
        ? 'Two machines have the same host id: give one of them a state directory of its own.'
        : 'It registers anew by itself; projects that others took meanwhile stay with them.',
    },
  )
}

/** After every project that the host holds was touched: from now on a restart touches nothing. Idempotent. */
export function finishReturn(
  catalogue: Catalogue,
  identity: HostIdentity,
  options: CallOptions = {},
): Promise<void> {
  return change(catalogue, identity, 'end of the return', { returning: false }, options)
}

/** Marks the host ended: whoever wants its projects may take them at once. Idempotent; says nothing where the session is lost already. */
export async function endHost(
  catalogue: Catalogue,
  identity: HostIdentity,
  options: CallOptions = {},
): Promise<void> {
  const changedAtMs = await catalogue.nowMs(options)
  await change(catalogue, identity, 'end', { state: 'ended', changedAtMs }, options)
}

/** A change that the session makes of its own live row, whatever the heartbeat does beside it; nothing where the session is lost. */
async function change(
  catalogue: Catalogue,
  { host, session }: HostIdentity,
  what: string,
  set: Pick<Partial<HostRow>, 'state' | 'returning' | 'changedAtMs'>,
  options: CallOptions,
): Promise<void> {
  let lost: unknown
  for (let tries = 0; tries < TRIES; tries++) {
    const row = await catalogue.readHost(host, options)
    const done = row?.returning === set.returning || row?.state === set.state
    if (row?.session !== session || row.state !== 'live' || done) return
    try {
      const transaction = {
        what: `${what} of host ${host}`,
        host,
        if: { session, state: 'live' as const },
        set,
      }
      if (await catalogue.applyHost(transaction, options)) return
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error
      lost = error
    }
  }
  throw new OutcomeUnknownError(`${what} of host ${host}`, lost)
}
