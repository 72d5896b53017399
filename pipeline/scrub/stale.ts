/**
 * Writes that were begun and left: found by the lists of writes in progress and by the projects' rows, judged by
 * their hosts, ended by transaction, and only then removed.
 */
import type { HostId, ProjectId, SessionId, WriteId } from '../base/ids.ts'
import { abandonWrite, bytesOf } from '../graph/removal.ts'
import type { WriteRow } from '../graph/state.ts'
import { RENEW_INTERVAL_MS } from '../hosts/heartbeat.ts'
import type { WritingEntry } from '../stores/contract.ts'
import { unchecked } from './attempt.ts'
import type { CleaningFinding, Finding } from './findings.ts'
import type { Verdict } from './liveness.ts'
import type { Run } from './settings.ts'

interface Session {
  readonly host: HostId
  readonly session: SessionId
  verdict: Verdict
  /** Rows in progress that the host's list does not name. */
  readonly unlisted: Map<WriteId, WritingEntry>
}

/** Past this the rest waits for the next run: a row whose host does not list it is rare. */
const MAX_UNLISTED = 10_000

export class StaleWrites {
  readonly #run: Run
  readonly #sessions = new Map<string, Session>()
  /** Writes that some list names: so that a project's row of the same write is not taken for an unlisted one. */
  readonly #listed = new Set<WriteId>()
  #unlisted = 0

  constructor(run: Run) {
    this.#run = run
  }

  /** The first look at everybody who has writes in progress. */
  async *look(): AsyncGenerator<Finding, void> {
    const { store, signal } = this.#run
    try {
      for await (const { host } of store.catalogue.hosts({ signal }))
        for await (const entry of this.#entries(host))
          if ('kind' in entry) yield entry
          else {
            if (this.#listed.size < MAX_UNLISTED) this.#listed.add(entry.row.writeId)
            yield* this.#judge(entry)
          }
    } catch (error) {
      yield unchecked(this.#run, 'the list of hosts', error)
    }
  }

  /** A row in state `writing`, met on a walk over the projects. */
  async *meet(entry: WritingEntry): AsyncGenerator<Finding, void> {
    yield* this.#judge(entry)
    const session = this.#sessions.get(keyOf(entry.row))
    if (!session || session.verdict.fate === 'alive') return
    if (this.#listed.has(entry.row.writeId) || this.#unlisted >= MAX_UNLISTED) return
    session.unlisted.set(entry.row.writeId, entry)
    this.#unlisted++
  }

  /** Ends what is known to be left; without `apply` it says so. */
  async *end(apply: boolean): AsyncGenerator<Finding, void> {
    yield* this.#endAll([...this.#sessions.values()], apply)
  }

  /**
   * Watches those of whom a first look could not tell, until each has renewed itself or stood still for long enough:
   * one interval of renewal for all that live, and never longer than the whole time.
   */
  async *watch(apply: boolean): AsyncGenerator<Finding, void> {
    const { clock, signal, staleAfterMs } = this.#run
    let open = [...this.#sessions.values()].filter(({ verdict }) => verdict.fate === 'unknown')
    for (const { host } of open) yield watched(host, staleAfterMs)
    while (open.length > 0) {
      await clock.sleep(this.#pauseMs(open), signal)
      const over: Session[] = []
      for (const session of open)
        try {
          session.verdict = await this.#run.liveness.judge(session, { signal })
          if (session.verdict.fate === 'over') over.push(session)
        } catch (error) {
          session.verdict = { fate: 'alive' }
          yield unchecked(this.#run, `host ${session.host}`, error)
        }
      yield* this.#endAll(over, apply)
      open = open.filter(({ verdict }) => verdict.fate === 'unknown')
    }
  }

  #pauseMs(open: readonly Session[]): number {
    const left = open.map(({ verdict }) =>
      verdict.fate === 'unknown' ? this.#run.staleAfterMs - verdict.stoodStillMs : 0,
    )
    return Math.max(1, Math.min(RENEW_INTERVAL_MS, ...left))
  }

  async *#judge({ project, row }: WritingEntry): AsyncGenerator<Finding, void> {
    const key = keyOf(row)
    if (this.#sessions.has(key)) return
    try {
      const verdict = await this.#run.liveness.judge(row, this.#run)
      this.#sessions.set(key, { host: row.host, session: row.session, verdict, unlisted: new Map() })
    } catch (error) {
      yield unchecked(this.#run, `host ${row.host}`, error, { project, writeId: row.writeId })
    }
  }

  async *#endAll(sessions: readonly Session[], apply: boolean): AsyncGenerator<Finding, void> {
    const over = new Map<string, string>()
    for (const session of sessions)
      if (session.verdict.fate === 'over') over.set(keyOf(session), session.verdict.why)
    const hosts = new Set(sessions.filter((session) => over.has(keyOf(session))).map(({ host }) => host))
    for (const host of hosts)
      for await (const entry of this.#entries(host)) {
        if ('kind' in entry) yield entry
        else {
          // It may stand on the list of a host that itself is on none.
          this.#sessions.get(keyOf(entry.row))?.unlisted.delete(entry.row.writeId)
          yield* this.#endOne(entry, over.get(keyOf(entry.row)), apply)
        }
      }
    for (const session of sessions)
      for (const entry of session.unlisted.values())
        yield* this.#endOne(entry, over.get(keyOf(session)), apply)
  }

  async *#endOne(
    entry: WritingEntry,
    why: string | undefined,
    apply: boolean,
  ): AsyncGenerator<Finding, void> {
    if (why === undefined || this.#run.spoiled.has(entry.project)) return
    try {
      yield apply ? await this.#abort(entry, why) : await this.#wouldAbort(entry, why)
    } catch (error) {
      const { project, row } = entry
      yield unchecked(this.#run, `write ${row.writeId} of ${project}`, error, {
        project,
        writeId: row.writeId,
      })
    }
  }

  async #wouldAbort(entry: WritingEntry, why: string): Promise<CleaningFinding> {
    const { project, row } = entry
    const now = await this.#run.store.catalogue.read(project, this.#run)
    const there = now?.rows.get(row.writeId)
    if (now && (!there || there.state === 'writing'))
      return staleWrite(project, there ?? row, why, 'would-abort')
    return staleEntry(entry, there?.state, 'would-forget')
  }

  async #abort(entry: WritingEntry, why: string): Promise<CleaningFinding> {
    const { store, signal } = this.#run
    const { project, row } = entry
    const { state, ended } = await abandonWrite(store, project, row, { signal })
    return state === 'aborted'
      ? staleWrite(project, ended ?? row, why, 'done')
      : staleEntry(entry, state, 'done')
  }

  async *#entries(host: HostId): AsyncGenerator<WritingEntry | Finding, void> {
    try {
      yield* this.#run.store.catalogue.writing(host, this.#run)
    } catch (error) {
      yield unchecked(this.#run, `the writes in progress of host ${host}`, error)
    }
  }
}

function keyOf({ host, session }: Pick<WriteRow, 'host' | 'session'>): string {
  return `${host}/${session}`
}

function staleWrite(
  project: ProjectId,
  row: WriteRow,
  why: string,
  action: 'would-abort' | 'done',
): CleaningFinding {
  return {
    kind: 'stale-write',
    project,
    writeId: row.writeId,
    message: `write ${row.writeId} of ${project} was begun and left: ${why}`,
    action,
    bytes: bytesOf(row),
  }
}

function staleEntry(
  { project, row }: WritingEntry,
  state: string | undefined,
  action: 'would-forget' | 'done',
): CleaningFinding {
  const is = state === undefined || state === 'gone' ? 'not in the catalogue' : state
  return {
    kind: 'stale-entry',
    project,
    writeId: row.writeId,
    message: `write ${row.writeId} of ${project} is listed as in progress and is ${is}`,
    action,
    bytes: null,
  }
}

function watched(host: HostId, staleAfterMs: number): Finding {
  return {
    kind: 'host-watched',
    project: null,
    writeId: null,
    host,
    message: `host ${host} has writes in progress: watching whether it renews itself, for ${Math.round(staleAfterMs / 1000)} s at most`,
    hint: '`--grace 0s` ends them without waiting, also where the host lives.',
    action: 'none',
  }
}
