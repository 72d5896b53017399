/** Where a daemon is asked, and what proves who asks. All of it is read anew for each call: ports, tokens and certificates change. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'

export interface Target {
  /** For people. */
  readonly name: string
  readonly connect:
    | { readonly socketPath: string }
    | { readonly host: string; readonly port: number; readonly ca?: string }
  readonly secure: boolean
  readonly token?: string
}

export interface Remote {
  /** `https://host:port`; plain `http` only to this machine itself. */
  readonly url?: string
  /** Instead of it: the file in which a daemon of this machine says where it listens, `<run>/endpoint.json`. */
  readonly endpointFile?: string
  readonly tokenFile: string
  /** Certificates that are believed instead of the system's. */
  readonly caFile?: string
}

const TOKEN = /^[\x21-\x7e]{1,200}$/
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

export async function remoteTarget({ url, endpointFile, tokenFile, caFile }: Remote): Promise<Target> {
  const { protocol, hostname, port } = parsed(url ?? (await urlIn(endpointFile)))
  if (tokenFile === '')
    throw new TidepoolError('bad-usage', `no token is given for ${hostname}`, {
      hint: 'Name the file that it is in with --token-file or TIDEPOOL_TOKEN_FILE.',
    })
  const token = (await contentOf(tokenFile, 'the token')).trim()
  if (!TOKEN.test(token))
    throw new TidepoolError('bad-file', `${tokenFile} holds no token`, {
      hint: 'It is one line, as `tidepool token create` prints it.',
    })
  const ca = caFile === undefined ? undefined : await contentOf(caFile, 'the certificates')
  return {
    name: `${protocol}//${hostname}:${port}`,
    connect: {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port),
      ...(ca !== undefined && { ca }),
    },
    secure: protocol === 'https:',
    token,
  }
}

function parsed(text: string): { protocol: string; hostname: string; port: string } {
  const url = tried(text)
  const usable =
    url && (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname)))
  if (!usable || url.username !== '' || url.password !== '')
    throw new TidepoolError('bad-url', `${JSON.stringify(text.slice(0, 200))} is no place to ask a daemon`, {
      hint: 'Give https://host:port; http:// only to this machine itself, and no secret in it.',
    })
  return {
    protocol: url.protocol,
    hostname: url.hostname,
    port: url.port || (url.protocol === 'https:' ? '443' : '80'),
  }
}

function tried(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}

async function urlIn(file: string | undefined): Promise<string> {
  if (file === undefined) throw new TidepoolError('bad-url', 'it is not said where the daemon is')
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
    throw new TidepoolError('daemon-missing', `${file} is not there: no daemon listens for tokens`, {
      cause,
      hint: 'Start the daemon, with `listen` in its configuration.',
    })
  }
  try {
    return String((JSON.parse(text) as { url: unknown }).url)
  } catch (cause) {
    throw new TidepoolError('bad-url', `${file} does not say where the daemon is`, { cause })
  }
}

async function contentOf(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new TidepoolError('bad-file', `can't read ${what} in ${file}: ${errnoOf(cause)}`, { cause })
  }
}

export const socketTarget = (socketPath: string): Target => ({
  name: socketPath,
  connect: { socketPath },
  secure: false,
})

const PROJECT_PATH = /^\/v1\/projects\/([a-z0-9][a-z0-9-]{0,62})(?:\/|\?|$)/

export interface OwnerTarget extends Target {
  /** Why there is no token, for the case that nobody has made one by the time of the answer. */
  readonly missing?: unknown
}

/** Beside root's socket: what the caller's own project can be asked for, proved by the token that its owner alone can read. */
export async function ownerTarget(rootSocket: string, path: string): Promise<OwnerTarget> {
  const run = dirname(rootSocket)
  const id = PROJECT_PATH.exec(path)?.[1]
  if (id === undefined)
    throw new TidepoolError('daemon-forbidden', `this user may not speak to the daemon on ${rootSocket}`, {
      hint: 'Ask as root, or ask about a project of yours by its id.',
    })
  const file = join(run, 'owners', id)
  const socket = socketTarget(join(run, 'owner.sock'))
  try {
    const token = (await readFile(file, 'utf8')).trim()
    return TOKEN.test(token) ? { ...socket, token } : socket
  } catch (cause) {
    return { ...socket, missing: notYours(id, file, cause) }
  }
}

function notYours(id: string, file: string, cause: unknown): unknown {
  if (errnoOf(cause) === 'EACCES')
    return new TidepoolError('daemon-forbidden', `project ${id} belongs to somebody else`, {
      cause,
      hint: 'Ask as its owner, or as root.',
    })
  if (errnoOf(cause) === 'ENOENT')
    return new TidepoolError('daemon-forbidden', `nothing on this host says that project ${id} is yours`, {
      cause,
      hint: `Go into its directory, which opens it, and ask again. It says so by ${file}, which is not there for what is evicted or root's.`,
    })
  return cause
}
