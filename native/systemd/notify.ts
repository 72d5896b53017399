/**
 * Tells systemd how a service of it is. Through the program `systemd-notify`, because Node has no datagram sockets of the Unix
 * kind: a call of it takes 4 ms of a core, which is little for what is said a few times a minute. It speaks in our name, by our
 * process id, where we may do what that takes (CAP_SYS_ADMIN): so `NotifyAccess=main` is enough.
 */
import { spawn } from 'node:child_process'

export interface NotifierOptions {
  /** Hears why something could not be told; then systemd may take the service for dead. */
  readonly failed: (why: string) => void
  /** @default `systemd-notify` */
  readonly program?: string
}

/** It has nothing to wait for but a processor. */
const LIMIT_MS = 10_000

export class Notifier {
  /** Without a word for so long, the service counts as hung; undefined where systemd does not look. */
  readonly watchdogMs: number | undefined
  readonly #socket: string
  readonly #program: string
  readonly #failed: (why: string) => void
  /** One at a time: what was told last is what holds. */
  #last: Promise<void> = Promise.resolve()

  private constructor(socket: string, watchdogMs: number | undefined, options: NotifierOptions) {
    this.#socket = socket
    this.watchdogMs = watchdogMs
    this.#program = options.program ?? 'systemd-notify'
    this.#failed = options.failed
  }

  /** Undefined where no systemd has started this process. */
  static from(env: NodeJS.ProcessEnv, options: NotifierOptions): Notifier | undefined {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = env
    if (!socket) return undefined
    const ours = pid === undefined || Number(pid) === process.pid
    const watchdogMs = ours && Number(usec) > 0 ? Number(usec) / 1000 : undefined
    return new Notifier(socket, watchdogMs, options)
  }

  /** Resolves once it was told, or could not be. Lines of one call arrive together. */
  tell(...assignments: readonly string[]): Promise<void> {
    this.#last = this.#last.then(() => this.#tell(assignments))
    return this.#last
  }

  #tell(assignments: readonly string[]): Promise<void> {
    const lines = assignments.map((line) => line.replace(/[\r\n]+/g, ' '))
    return new Promise((resolve) => {
      // Without waiting until systemd has taken it in, which took more than its own limit of 5 s on a busy machine: that is for who
      // speaks by a process id that may be gone by then, and ours stays.
      const child = spawn(this.#program, ['--no-block', ...lines], {
        cwd: '/',
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: process.env.PATH, LC_ALL: 'C', NOTIFY_SOCKET: this.#socket },
        timeout: LIMIT_MS,
        killSignal: 'SIGKILL',
      })
      let said = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = `${said}${text}`.slice(-1000)
      })
      child.once('error', (error) => {
        this.#failed(`systemd is not told ${lines[0]}: ${error.message}`)
        resolve()
      })
      child.once('close', (code, signal) => {
        if (code !== 0 && child.pid !== undefined)
          this.#failed(
            `systemd is not told ${lines[0]}: ${said.trim() || `systemd-notify ended with ${code ?? signal}`}`,
          )
        resolve()
      })
    })
  }
}
