/**
 * This host as a member of a store: registered, renewed, and come back after it was thought dead (rules 13 to 18). Says at
 * each moment whether the host may commit, open or evict; users' writes never ask.
 */
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import type { Clock } from '../../pipeline/base/clock.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { HostId, ProjectId, SessionId } from '../../pipeline/base/ids.ts'
import { thisProcess } from '../../pipeline/base/process.ts'
import { type HeartbeatOptions, heartbeat, RENEW_INTERVAL_MS } from '../../pipeline/hosts/heartbeat.ts'
import {
  endHost,
  finishReturn,
  type HostIdentity,
  type Registration,
  registerHost,
} from '../../pipeline/hosts/session.ts'
import { touchAfterReturn } from '../../pipeline/hosts/take.ts'
import type { Catalogue } from '../../pipeline/stores/contract.ts'

export interface MembershipOptions {
  readonly clock: Clock
  readonly host: HostId
  /** For people. */
  readonly name: string
  /** Draws a session and has recorded it durably here before it resolves. */
  readonly newSession: () => Promise<SessionId>
  /** What the pool has: a project may name this host as its owner although no list of the store shows it yet. */
  readonly residents: () => AsyncIterable<ProjectId> | Iterable<ProjectId>
  readonly onChange?: (state: MembershipState) => void
  readonly heartbeat?: Partial<Pick<HeartbeatOptions, 'intervalMs' | 'giveUpAfterMs'>>
}

export type MembershipState =
  | { readonly kind: 'live' }
  /** Silent for too long, or marked dead: it registers anew by itself. */
  | { readonly kind: 'lost'; readonly error: unknown }
  /** Another session speaks for this host id, or it was ended: it does not take it back. */
  | { readonly kind: 'over'; readonly error: unknown }

/** It may not act although it did not leave: another may have its projects. */
export const isLost = (state: MembershipState): boolean =>
  state.kind !== 'live' && codeOf(state.error) !== 'host-left'

const TOUCHES_AT_ONCE = 8

export class Membership {
  readonly #catalogue: Catalogue
  readonly #options: MembershipOptions
  readonly #stop = new AbortController()
  #identity: HostIdentity
  #state: MembershipState
  #beating: Promise<void> = Promise.resolve()
  /** Who waits for the host to be live for the first time. */
  #first: { resolve(): void; reject(error: unknown): void } | undefined

  private constructor(catalogue: Catalogue, options: MembershipOptions, identity: HostIdentity) {
    this.#catalogue = catalogue
    this.#options = options
    this.#identity = identity
    this.#state = { kind: 'lost', error: new TidepoolError('host-lost', 'the host is not registered yet') }
  }

  /** Resolves once the host may act. */
  static async join(
    catalogue: Catalogue,
    options: MembershipOptions,
    signal?: AbortSignal,
  ): Promise<Membership> {
    const { host, name } = options
    const session = await options.newSession()
    const member = new Membership(catalogue, options, { host, session, name, process: thisProcess() })
    const registration = await registerHost(catalogue, member.#identity, signal ? { signal } : {})
    const live = new Promise<void>((resolve, reject) => {
      member.#first = { resolve, reject }
    })
    member.#beating = member.#run(registration)
    await live
    return member
  }

  get host(): HostId {
    return this.#identity.host
  }

  /** Another one after the host was thought dead. */
  get session(): SessionId {
    return this.#identity.session
  }

  get state(): MembershipState {
    return this.#state
  }

  mayAct(): void {
    if (this.#state.kind === 'live') return
    const { error } = this.#state
    throw error instanceof TidepoolError
      ? error
      : new TidepoolError('host-lost', 'this host is lost', { cause: error })
  }

  /** For good: whoever wants its projects may take them at once. Otherwise it leaves all as it is, for the next start. */
  async leave({
    forGood,
    signal,
  }: {
    readonly forGood: boolean
    readonly signal?: AbortSignal
  }): Promise<void> {
    this.#stop.abort()
    await this.#beating
    if (forGood && this.#state.kind === 'live')
      await endHost(this.#catalogue, this.#identity, signal ? { signal } : {})
    this.#become({ kind: 'over', error: new TidepoolError('host-left', 'this host has stopped') })
  }

  #become(state: MembershipState): void {
    this.#state = state
    if (state.kind === 'live') this.#first?.resolve()
    if (state.kind === 'over') this.#first?.reject(state.error)
    this.#options.onChange?.(state)
  }

  /** Beats while it lives; may act once every project that it held when it was thought dead is touched. */
  async #member({ row, returned }: Registration): Promise<void> {
    const { clock } = this.#options
    const ending = new LinkedAbort(this.#stop.signal)
    const beating = heartbeat(this.#catalogue, this.#identity, row, {
      clock,
      signal: ending.signal,
      ...this.#options.heartbeat,
    }).catch((error: unknown) => {
      ending.abort(error)
      throw error
    })
    // It is awaited below; a failure before that must not count as unhandled.
    beating.catch(() => {})
    try {
      if (returned) await this.#touchAll(ending.signal)
      this.#become({ kind: 'live' })
      await beating
    } catch (error) {
      ending.abort(error)
      await beating
      throw error
    } finally {
      ending.leave()
    }
  }

  /** Takers that planned while it was dead fail then, or have won; who owns is read with each act. */
  async #touchAll(signal: AbortSignal): Promise<void> {
    const held = this.#held(signal)
    const touch = async (): Promise<void> => {
      for (let next = await held.next(); !next.done; next = await held.next())
        await touchAfterReturn(this.#catalogue, next.value, this.host, { signal })
    }
    await Promise.all(Array.from({ length: TOUCHES_AT_ONCE }, touch))
    await finishReturn(this.#catalogue, this.#identity, { signal })
  }

  async *#held(signal: AbortSignal): AsyncGenerator<ProjectId> {
    const seen = new Set<ProjectId>()
    for await (const id of this.#options.residents()) {
      seen.add(id)
      // Unknown to the store: of another one, or never created. Reconcile tells of it.
      if (await this.#catalogue.read(id, { signal })) yield id
    }
    for await (const { id, owner } of this.#catalogue.projects({ signal }))
      if (owner === this.host && !seen.has(id)) yield id
  }

  async #run(registration: Registration): Promise<void> {
    for (
      let now: Registration | undefined = registration;
      now;
      now = await this.#comeBack(this.#stop.signal)
    ) {
      try {
        await this.#member(now)
        return
      } catch (error) {
        if (this.#stop.signal.aborted) return
        this.#become({ kind: 'lost', error })
      }
    }
  }

  /** Tries until it is registered again; undefined where it is not to be, or was stopped. */
  async #comeBack(signal: AbortSignal): Promise<Registration | undefined> {
    const { clock } = this.#options
    const pauseMs = this.#options.heartbeat?.intervalMs ?? RENEW_INTERVAL_MS
    while (!signal.aborted) {
      const limit = new LinkedAbort(signal)
      try {
        const now = await this.#catalogue.readHost(this.host, { signal: limit.signal })
        if (now && now.session !== this.session && now.state === 'live') return this.#over()
        // The same session may go on where nobody marked it dead; a dead one is never used again.
        if (now?.session !== this.session || now.state !== 'live')
          this.#identity = { ...this.#identity, session: await this.#options.newSession() }
        return await registerHost(this.#catalogue, this.#identity, { signal: limit.signal })
      } catch (error) {
        if (signal.aborted) return undefined
        this.#become({ kind: 'lost', error })
        await clock.sleep(pauseMs, signal).catch(() => {})
      } finally {
        limit.leave()
      }
    }
    return undefined
  }

  #over(): undefined {
    const error = new TidepoolError('host-lost', `another machine speaks for host ${this.host} now`, {
      hint: 'Two machines have the same state directory: give one of them a new one.',
    })
    this.#become({ kind: 'over', error })
  }
}
