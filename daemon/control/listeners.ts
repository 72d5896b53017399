/** Everything that the daemon listens on, started and closed as one: root's socket, the owners', and TCP where it is wanted. */
import type { FastifyInstance } from 'fastify'
import type { BearerTokens } from '../auth/bearer-tokens.ts'
import type { Refused } from '../auth/caller.ts'
import type { OwnerTokens } from '../auth/owner-tokens.ts'
import type { Config } from '../config/schema.ts'
import type { Daemon } from '../daemon.ts'
import type { Log } from '../log/log.ts'
import { mountPointOf } from '../projects/mount-point.ts'
import { ownerGuard, rootGuard } from './guards.ts'
import type { Route } from './route.ts'
import { server } from './server.ts'
import { listenOnSocket } from './sockets.ts'
import { TcpListener } from './tcp.ts'

export interface ListenOptions {
  readonly sockets: { readonly root: string; readonly owners: string }
  readonly routes: readonly Route[]
  readonly ownerTokens: OwnerTokens
  readonly refused: Refused
  readonly log: Log
  readonly tcp: {
    readonly listen: Config['listen']
    readonly tokens: BearerTokens
    readonly endpointFile: string
    readonly say: (line: string) => void
  }
}

export interface Listeners {
  /** Of the API over TCP; undefined while it is not there. */
  readonly url: string | undefined
  /** Reads certificate, key and tokens again. */
  reload(): Promise<void>
  /** Answers what has begun, takes nothing new. */
  close(): Promise<void>
}

/** A connection costs some 20 KB; whoever can't get one on the owners' socket leaves root's as it was. */
const ROOT_CONNECTIONS = 1000
/** Anybody on the host may open some: as many as come in one turn of the event loop are taken, so that none that asks is refused. */
const OWNER_CONNECTIONS = { atOnce: 2000, silent: 100, headersLimitMs: 3000, requestLimitMs: 10_000 }

/** Rejects with `socket-in-use` where somebody answers on one of the sockets already. */
export async function listen(
  daemon: Daemon,
  { sockets, routes, ownerTokens, refused, log, tcp: { listen, ...tcp } }: ListenOptions,
): Promise<Listeners> {
  const { engine } = daemon
  const open: FastifyInstance[] = []
  let remote: TcpListener | undefined
  const close = async (): Promise<void> => {
    await Promise.all([remote?.close(), ...open.map((app) => app.close())])
  }
  try {
    const root = server(daemon, {
      listener: 'root',
      routes,
      guard: rootGuard,
      refused,
      log,
      connections: { atOnce: ROOT_CONNECTIONS },
    })
    open.push(root)
    await listenOnSocket(root, sockets.root, 0o600)
    const owners = server(daemon, {
      listener: 'owners',
      routes,
      guard: ownerGuard(ownerTokens, (id) =>
        engine.saves.state(id) === undefined ? undefined : mountPointOf(engine.host, id),
      ),
      refused,
      log,
      connections: OWNER_CONNECTIONS,
    })
    open.push(owners)
    await listenOnSocket(owners, sockets.owners, 0o666)
    const { port } = listen
    if (port !== undefined)
      remote = await TcpListener.start({
        ...tcp,
        listen: { ...listen, port },
        server: (options) => server(daemon, { ...options, routes, refused, log }),
      })
    return {
      get url() {
        return remote?.url
      },
      reload: async () => {
        if (remote) await remote.reload()
        else await tcp.tokens.reload()
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
