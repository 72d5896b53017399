/**
 * The API over TCP, for those who have a token. Projects are worth more than it: where it can't listen (a certificate that has ended, a port that
 * is taken), that is said, everything else goes on, and it is tried again. Certificate, key and tokens are read again when they change.
 */
import { rm, stat } from 'node:fs/promises'
import type { Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import type { FastifyInstance } from 'fastify'
import { writeAtomically } from '../../pipeline/base/atomic-file.ts'
import { messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { BearerTokens } from '../auth/bearer-tokens.ts'
import { type Certificate, readCertificate } from '../auth/certificate.ts'
import { isLoopback } from '../auth/same-site.ts'
import type { Config } from '../config/schema.ts'
import { tokenGuard } from './guards.ts'
import type { ServerOptions } from './server.ts'

export interface TcpOptions {
  readonly listen: Config['listen'] & { readonly port: number }
  readonly tokens: BearerTokens
  /** Where it is told to clients of this machine. */
  readonly endpointFile: string
  readonly say: (line: string) => void
  readonly server: (options: Pick<ServerOptions, 'listener' | 'guard' | 'connections'>) => FastifyInstance
}

const LOOK_EVERY_MS = 5000
const CONNECTIONS = 256
const ANY = new Set(['0.0.0.0', '::'])

export class TcpListener {
  readonly #options: TcpOptions
  readonly #timer: NodeJS.Timeout
  #app: FastifyInstance | undefined
  #certificate: Certificate | undefined
  #seen = ''
  #said = ''
  #url: string | undefined
  #closed = false
  /** One look after the other. */
  #looking: Promise<void> = Promise.resolve()

  private constructor(options: TcpOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.#look(false), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  /** Resolves once it listens, or has said why it does not. */
  static async start(options: TcpOptions): Promise<TcpListener> {
    const { address, tls } = options.listen
    if (!tls && !isLoopback(address))
      throw new TidepoolError('bad-config', `it does not listen on ${address} without tls`, {
        hint: 'Give listen.tls, or the address 127.0.0.1.',
      })
    const made = new TcpListener(options)
    await made.#look(true)
    return made
  }

  /** Undefined while it does not listen. */
  get url(): string | undefined {
    return this.#url
  }

  /** Reads certificate, key and tokens again; what can't be used leaves what was there, and is said. */
  reload(): Promise<void> {
    return this.#look(true)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#looking
    await this.#app?.close()
    if (this.#url !== undefined) await rm(this.#options.endpointFile, { force: true })
  }

  #look(always: boolean): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      if (this.#closed) return
      const now = await this.#fingerprint()
      const isNew = always || now !== this.#seen
      this.#seen = now
      if (isNew) await this.#tried('the tokens', () => this.#options.tokens.reload())
      if (isNew || this.#url === undefined) await this.#tried('the API over TCP', () => this.#listen())
    })
    return this.#looking
  }

  async #listen(): Promise<void> {
    const { listen } = this.#options
    if (listen.tls) this.#certificate = await readCertificate(listen.tls)
    const { cert, key } = this.#certificate ?? {}
    const tls = cert !== undefined && key !== undefined ? { cert, key } : undefined
    if (!this.#app) this.#app = await this.#opened(tls)
    else if (tls)
      (this.#app.server as unknown as SecureServer).setSecureContext({ ...tls, minVersion: 'TLSv1.2' })
    if (this.#url === undefined)
      this.#url = await this.#told((this.#app.server.address() as AddressInfo).port)
  }

  async #opened(tls: Pick<Certificate, 'cert' | 'key'> | undefined): Promise<FastifyInstance> {
    const { listen, server, tokens } = this.#options
    const app = server({
      listener: 'tcp',
      guard: tokenGuard(tokens, () => this.#certificate),
      connections: { atOnce: CONNECTIONS, ...(tls && { tls }) },
    })
    try {
      await app.listen({ host: listen.address, port: listen.port })
      return app
    } catch (error) {
      await app.close()
      throw error
    }
  }

  async #told(port: number): Promise<string> {
    const { listen, endpointFile } = this.#options
    const host = this.#nameFor(listen.address)
    const url = `http${listen.tls ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${port}`
    await writeAtomically(endpointFile, [Buffer.from(`${JSON.stringify({ url })}\n`)], { mode: 0o644 })
    return url
  }

  /** One that its certificate is made for, where there is such a one. */
  #nameFor(address: string): string {
    const own = ANY.has(address) ? '127.0.0.1' : address
    if (!this.#certificate || this.#certificate.isFor(own)) return own
    return this.#certificate.isFor(hostname()) ? hostname() : own
  }

  /** The same complaint is made once, until something else happens. */
  async #tried(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
      if (this.#said.startsWith(what)) this.#said = ''
    } catch (error) {
      const kept = this.#app ? ', and what there was stays valid' : ''
      const line = `${what}: ${messageOf(error)}${kept}`
      if (line !== this.#said) this.#options.say(line)
      this.#said = line
    }
  }

  /** Of what the names lead to, so that a replaced link is seen too. */
  async #fingerprint(): Promise<string> {
    const { listen, tokens } = this.#options
    const files = [tokens.file, ...(listen.tls ? [listen.tls.cert, listen.tls.key] : [])]
    const seen = files.map((file) =>
      stat(file, { bigint: true }).then(
        ({ dev, ino, size, mtimeNs, ctimeNs }) => `${dev}.${ino}.${size}.${mtimeNs}.${ctimeNs}`,
        () => 'none',
      ),
    )
    return (await Promise.all(seen)).join(' ')
  }
}
