/** The daemon as a service of systemd, from its start to its stop. */
import { Notifier } from '../../native/systemd/notify.ts'
import { type Daemon, socketOf } from '../daemon.ts'
import { daemonLives } from './daemon-lives.ts'
import { daemonStatus } from './daemon-status.ts'
import { keepReporting } from './report.ts'

export class DaemonService {
  readonly #notifier: Notifier
  readonly #stop = new AbortController()
  #reporting: Promise<void> = Promise.resolve()

  private constructor(notifier: Notifier) {
    this.#notifier = notifier
  }

  /** Undefined where no systemd has started this process. */
  static from(env: NodeJS.ProcessEnv, failed: (why: string) => void): DaemonService | undefined {
    const notifier = Notifier.from(env, { failed })
    if (!notifier) return undefined
    void notifier.tell('STATUS=starting: asks the store and the pool what is there')
    return new DaemonService(notifier)
  }

  ready({ config, engine }: Pick<Daemon, 'config' | 'engine'>): void {
    const { saves } = engine
    void this.#notifier.tell('READY=1')
    this.#reporting = keepReporting(
      this.#notifier,
      {
        status: () => daemonStatus(engine),
        lives: (signal) => daemonLives({ socket: socketOf(config), saves }, signal),
      },
      this.#stop.signal,
    )
  }

  /** Around a reload: what is ordered behind it waits. */
  async reloading<T>(reload: () => Promise<T>): Promise<T> {
    await this.#notifier.tell('RELOADING=1')
    try {
      return await reload()
    } finally {
      await this.#notifier.tell('READY=1')
    }
  }

  /** Ends the daemon; its last saves may take long, and until they have ended it lives as long as its event loop turns. */
  async stop(daemon: Pick<Daemon, 'engine' | 'stop'>): Promise<void> {
    this.#stop.abort()
    await this.#reporting
    await this.#notifier.tell('STOPPING=1')
    const stopped = new AbortController()
    const status = (): string => `stopping; ${daemonStatus(daemon.engine)}`
    const reporting = keepReporting(this.#notifier, { status, lives: async () => {} }, stopped.signal)
    try {
      await daemon.stop()
    } finally {
      stopped.abort()
      await reporting
    }
  }
}
