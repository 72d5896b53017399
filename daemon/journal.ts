/** What a daemon keeps of what happens while it runs: operations, events, answers, and the audit log. */
import { LinkedAbort } from '../pipeline/base/abort.ts'
import { type Clock, systemClock } from '../pipeline/base/clock.ts'
import { codeOf } from '../pipeline/base/errors.ts'
import type { ProjectId } from '../pipeline/base/ids.ts'
import { AuditLog } from './audit/audit-log.ts'
import { Answers } from './control/answers.ts'
import { Events } from './events/events.ts'
import { membershipTeller, tellAct, tellOperation, tellTidings } from './events/tell.ts'
import { apart } from './log/context.ts'
import { stepLine } from './log/lines.ts'
import { type Log, silent } from './log/log.ts'
import { Operations } from './operations/operations.ts'
import type { Act } from './projects/acts.ts'
import type { ActOptions } from './projects/host.ts'
import type { Tidings } from './projects/tidings.ts'

/** FUSE says who touches; fuse-native does not pass it on. */
const TOUCH = { principal: 'a touch', origin: 'touch' }
const SWEEP = { principal: 'the daemon', origin: 'sweep' }

export interface JournalOptions {
  readonly clock?: Clock
  /** @default nowhere */
  readonly log?: Log
}

export class Journal {
  readonly events: Events
  readonly operations: Operations
  readonly audit: AuditLog
  readonly answers = new Answers()

  constructor(auditPath: string, { clock = systemClock, log = silent }: JournalOptions = {}) {
    this.events = new Events({ clock })
    this.audit = new AuditLog(auditPath, () => clock.wallMs())
    const tell = (operation: Parameters<typeof tellOperation>[1]): void =>
      tellOperation(this.events, operation)
    this.operations = new Operations({
      clock,
      onStart: tell,
      onEnd: tell,
      onStep: (operation) => stepLine(log, operation),
    })
    this.membership = membershipTeller(this.events)
  }

  readonly membership: ReturnType<typeof membershipTeller>

  readonly tidings = (tidings: Tidings): void => tellTidings(this.events, tidings)

  act(act: Act): void {
    tellAct(this.events, act)
    if (act.what === 'evict' && act.byItself && act.error === undefined)
      this.audit.note({ what: 'evict', project: act.id, ...SWEEP, operation: null, result: 'done' })
  }

  /** An open that nobody asked for by name is an operation too. */
  async touched<T extends object>(
    id: ProjectId,
    signal: AbortSignal | undefined,
    open: (options: ActOptions) => Promise<T>,
  ): Promise<T> {
    const stop = new LinkedAbort(signal)
    // One open may begin where another ends, and is no part of it.
    const { operation, done } = apart(() =>
      this.operations.start({ verb: 'open', project: id, ...TOUCH }, (running) =>
        open({ signal: running.signal, onProgress: running.onProgress }),
      ),
    )
    const cancel = (): void => operation.cancel(stop.signal.reason)
    if (stop.signal.aborted) cancel()
    else stop.signal.addEventListener('abort', cancel, { once: true })
    const entry = { what: 'open', project: id, ...TOUCH, operation: operation.id }
    try {
      const opened = await done
      this.audit.note({ ...entry, result: 'done' })
      return opened
    } catch (error) {
      const code = codeOf(error) ?? 'unexpected'
      // Anybody can touch any number of names that are none: they must not fill root's disk.
      if (code !== 'project-unknown')
        this.audit.note({ ...entry, result: operation.state === 'cancelled' ? 'cancelled' : 'failed', code })
      throw error
    } finally {
      stop.leave()
    }
  }

  /** The last event, and the end of all that listen; resolves when those who keep up have been told. */
  async leave(): Promise<void> {
    this.events.tell('daemon-stopping', null)
    this.events.end()
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Before what operations work with is closed: resolves when none runs any more. */
  async stop(reason: unknown): Promise<void> {
    await this.operations.stop(reason)
  }
}
