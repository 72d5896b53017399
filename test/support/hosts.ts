/**
 * Hosts as they are in earnest: a daemon and an access process each, as processes of their own to be killed, with a pool and a
 * root of its own; all of them over one store in a directory.
 */
import type { ChildProcess } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '../../daemon/client/client.ts'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { initStore } from '../../pipeline/stores/open.ts'
import { MAIN as ACCESS } from './access.ts'
import { eventually, killed, type Program, type Started, withFuseWorld } from './fuse.ts'
import { type RealZfs, withPool } from './zfs-pool.ts'

const TIDEPOOL = fileURLToPath(new URL('tidepool.ts', import.meta.url))
/** Of one call: a machine that does much else saves slowly. */
const CALL_LIMIT_MS = 240_000

export interface HostOptions {
  /** Further lines of the configuration. */
  readonly config?: readonly string[]
  readonly state?: string
  readonly browse?: string
  readonly waitLimit?: string
}

export class Host {
  readonly name: string
  readonly root: string
  readonly mounts: string
  readonly client: Client
  readonly #directory: string
  readonly #started: Started
  readonly #children: ChildProcess[] = []
  readonly #options: HostOptions

  constructor(directory: string, name: string, started: Started, options: HostOptions) {
    this.name = name
    this.#directory = directory
    this.root = join(directory, 'projects')
    this.mounts = join(directory, 'mnt')
    this.client = new Client({
      socket: join(directory, 'run', 'tidepool.sock'),
      limitMs: CALL_LIMIT_MS,
    })
    this.#started = started
    this.#options = options
  }

  get #configFile(): string {
    return join(this.#directory, 'etc', 'tidepool.yaml')
  }

  async prepare(store: string, { parent }: RealZfs): Promise<void> {
    await mkdir(this.root, { recursive: true })
    await chmod(this.#directory, 0o711)
    const more = this.#options.config ?? []
    const lines = [
      `store: ${store}`,
      `dataset: ${parent}`,
      `name: ${this.name}`,
      `access: ${this.root}`,
      `mounts: ${this.mounts}`,
      `state: ${this.#options.state ?? join(this.#directory, 'state')}`,
      `run: ${join(this.#directory, 'run')}`,
      ...(more.some((line) => line.startsWith('evict:')) ? [] : ['evict: {afterCommit: 0s}']),
      ...more,
    ]
    await mkdir(dirname(this.#configFile))
    await writeFile(this.#configFile, `${lines.join('\n')}\n`)
  }

  /** Resolves once it serves; one that was killed before is followed by this one. */
  async daemon(): Promise<Program> {
    const args = ['daemon', '--config', this.#configFile]
    return this.#keep(await this.#started.program(TIDEPOOL, args, 'serving'))
  }

  /** Where the daemon and the access process speak. */
  get accessSocket(): string {
    return join(this.#directory, 'run', 'access', 'access.sock')
  }

  /** Resolves once the root answers. */
  async access(): Promise<Program> {
    const where = ['--root', this.root, '--mount-root', this.mounts]
    const socket = ['--socket', this.accessSocket]
    const how = [
      '--browse',
      this.#options.browse ?? 'resident',
      '--wait-limit',
      this.#options.waitLimit ?? '100s',
    ]
    return this.#keep(await this.#started.program(ACCESS, [...where, ...socket, ...how], 'serving'))
  }

  /** Ids of what is mounted here, from the kernel. */
  async mounted(): Promise<string[]> {
    const below = `${this.mounts}/`
    return (await readMounts())
      .map(({ mountPoint }) => mountPoint)
      .filter((point) => point.startsWith(below))
      .map((point) => point.slice(below.length))
      .sort()
  }

  create(id: string, owner?: { uid: number; gid: number }): Promise<unknown> {
    return this.client.call('POST', '/v1/projects', { body: { id, ...(owner && { owner }) } })
  }

  ask<Answer = Record<string, unknown>>(id: string, verb: string, body?: unknown): Promise<Answer> {
    return this.client.call<Answer>('POST', `/v1/projects/${id}/${verb}`, { body })
  }

  status<Answer = Record<string, unknown>>(): Promise<Answer> {
    return this.client.call<Answer>('GET', '/v1/status')
  }

  async end(): Promise<void> {
    for (const child of this.#children.reverse()) await killed(child)
  }

  #keep(program: Program): Program {
    this.#children.push(program.child)
    return program
  }
}

export interface HostsOptions extends HostOptions {
  readonly count?: number
  /** Where the store is, instead of a directory beside the hosts'. */
  readonly store?: string
  readonly fileBytes?: bigint
}

/** None of them runs yet. */
export function withHosts(
  body: (hosts: readonly Host[], directory: string) => Promise<void>,
  { count = 1, store, fileBytes = 512n * 2n ** 20n, ...options }: HostsOptions = {},
): Promise<void> {
  return withFuseWorld(async ({ directory }, started) => {
    const url = `dir:${store ?? join(directory, 'store')}`
    await initStore(url)
    const hosts: Host[] = []
    const next = (): Promise<void> => {
      if (hosts.length === count) return body(hosts, directory)
      return withPool(
        async (pool) => {
          const name = `host${hosts.length + 1}`
          const host = new Host(join(directory, name), name, started, options)
          hosts.push(host)
          await host.prepare(url, pool)
          try {
            await next()
          } finally {
            await host.end()
          }
        },
        { fileBytes },
      )
    }
    await next()
  })
}

/** Until a root that somebody left behind, or nobody has made yet, is served. */
export const mountedAt = (path: string, limitMs: number): Promise<number> =>
  eventually(`${path} is mounted`, limitMs, async () =>
    (await readMounts()).some(({ mountPoint }) => mountPoint === path),
  )
