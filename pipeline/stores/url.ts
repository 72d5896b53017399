/**
 * Store URLs, as people write them:
 *
 *     dir:/srv/tidepool
 *     cassandra://host1,host2:9042/keyspace?dc=dc1[&rf=dc1:3][&mode=home:dc1|global][&tls=ca.pem][&user=name]
 *
 * Every wrong piece has its own message. What may be a password is never repeated in one.
 */
import { resolve } from 'node:path'
import { TidepoolError } from '../base/errors.ts'

export interface DirectoryUrl {
  readonly kind: 'directory'
  /** Absolute. */
  readonly path: string
}

export interface CassandraUrl {
  readonly kind: 'cassandra'
  readonly contactPoints: readonly string[]
  readonly port: number
  readonly keyspace: string
  readonly localDc: string
  /** Copies for each data centre; for `store init`, elsewhere compared with what there is. */
  readonly replication?: Readonly<Record<string, number>>
  /** `home:<dc>` or `global`; for `store init`, elsewhere compared with what there is. */
  readonly mode?: TransactionMode
  /** Path of the certificate authority's PEM file. */
  readonly tlsCa?: string
  readonly user?: string
}

export type StoreUrl = DirectoryUrl | CassandraUrl
export type TransactionMode = 'global' | `home:${string}`

const SHAPES = 'dir:/path or cassandra://host1,host2:9042/keyspace?dc=dc1'
const DEFAULT_PORT = 9042
const OPTIONS = ['dc', 'rf', 'mode', 'tls', 'user'] as const
const SECRETS =
  'Put it in the environment as TIDEPOOL_CASSANDRA_PASSWORD, or in a file that TIDEPOOL_CASSANDRA_PASSWORD_FILE names: a command line can be read by everybody.'

function refuse(message: string, hint = `A store is written as ${SHAPES}.`): never {
  throw new TidepoolError('bad-store-url', message, { hint })
}

/** `cwd` is what a relative path in it counts from. */
export function parseStoreUrl(text: string, cwd = process.cwd()): StoreUrl {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase()
  if (scheme === 'dir') return directoryUrl(text.slice('dir:'.length), cwd)
  if (scheme === 'cassandra') return cassandraUrl(text.slice('cassandra:'.length))
  if (text === '') refuse('the store URL is empty')
  if (scheme === undefined)
    refuse(
      'the store URL has no scheme',
      `Write dir:${text.startsWith('/') ? text : '/path'} for a directory.`,
    )
  return refuse(`there is no kind of store called ${JSON.stringify(scheme)}`)
}

function directoryUrl(rest: string, cwd: string): DirectoryUrl {
  if (rest.startsWith('//') && !rest.startsWith('///'))
    refuse(
      'a directory store lies on this machine: its URL names no host',
      'Write one slash, as in dir:/path, for an absolute path.',
    )
  if (rest === '') refuse('dir: is followed by no path')
  return { kind: 'directory', path: resolve(cwd, rest.replace(/^\/+/, '/')) }
}

function cassandraUrl(rest: string): CassandraUrl {
  const parts = /^\/\/([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(rest)
  if (!parts) refuse('cassandra: is not followed by //')
  const [, authority = '', keyspace = '', query = ''] = parts
  if (authority.includes('@'))
    refuse(
      'the store URL carries a user or password before its hosts',
      authority.includes(':') ? SECRETS : 'Name the user as ?user=name.',
    )
  const options = optionsOf(query)
  const localDc = options.get('dc')
  const replication = options.get('rf')
  const mode = options.get('mode')
  const tlsCa = options.get('tls')
  const user = options.get('user')
  if (keyspace === '') refuse('the store URL names no keyspace')
  if (!/^[a-zA-Z][a-zA-Z0-9_]{0,47}$/.test(keyspace))
    refuse(
      `${JSON.stringify(keyspace)} is no name of a keyspace`,
      'Use a letter, then up to 47 letters, digits and underscores.',
    )
  if (localDc === undefined)
    refuse(
      'the store URL does not say which data centre is the local one',
      'Add ?dc=NAME, as `nodetool status` shows it.',
    )
  return {
    kind: 'cassandra',
    ...hostsOf(authority),
    keyspace,
    localDc: dataCentre(localDc, 'dc'),
    ...(replication !== undefined && { replication: replicationOf(replication) }),
    ...(mode !== undefined && { mode: modeOf(mode) }),
    ...(tlsCa !== undefined && { tlsCa }),
    ...(user !== undefined && { user }),
  }
}

function optionsOf(query: string): Map<string, string> {
  const options = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(query)) {
    if (/^(pass|password|secret)$/i.test(name)) refuse('the store URL carries a password', SECRETS)
    if (!(OPTIONS as readonly string[]).includes(name))
      refuse(`the store URL has no option ${JSON.stringify(name)}`, `Its options are ${OPTIONS.join(', ')}.`)
    if (options.has(name)) refuse(`the store URL has ${name}= twice`, 'Write it once.')
    if (value === '') refuse(`${name}= in the store URL has no value`, 'Give it one, or leave it out.')
    options.set(name, value)
  }
  return options
}

/** The driver connects to one port everywhere, so it is written once, behind any of the hosts. */
function hostsOf(authority: string): Pick<CassandraUrl, 'contactPoints' | 'port'> {
  const contactPoints: string[] = []
  const ports = new Set<number>()
  for (const text of authority.split(',')) {
    const parts = /^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._-]+)(?::([0-9]+))?$/.exec(text)
    const [, host, port] = parts ?? []
    if (host === undefined)
      refuse(
        authority === '' ? 'the store URL names no host' : `${JSON.stringify(text)} is no host or host:port`,
      )
    contactPoints.push(host.replace(/^\[|\]$/g, ''))
    if (port === undefined) continue
    if (Number(port) < 1 || Number(port) > 65_535) refuse(`${port} is no port`, 'A port is 1 to 65535.')
    ports.add(Number(port))
  }
  if (ports.size > 1)
    refuse(
      `the store URL has ports ${[...ports].join(' and ')}`,
      'All nodes of a cluster are reached on one port; write it once.',
    )
  return { contactPoints, port: [...ports][0] ?? DEFAULT_PORT }
}

function replicationOf(text: string): Record<string, number> {
  const copies: Record<string, number> = {}
  for (const piece of text.split(',')) {
    const [, dc, number] = /^([^:]+):([1-9][0-9]?)$/.exec(piece) ?? []
    if (dc === undefined)
      refuse(
        `rf=${text}: ${JSON.stringify(piece)} does not say how many copies a data centre keeps`,
        'Write DC:COPIES for each data centre, as in rf=dc1:3 or rf=dc1:3,dc2:2.',
      )
    if (Object.hasOwn(copies, dc)) refuse(`rf=${text} names ${dc} twice`, 'Name each data centre once.')
    copies[dataCentre(dc, 'rf')] = Number(number)
  }
  return copies
}

function modeOf(text: string): TransactionMode {
  if (text === 'global') return text
  const home = /^home:(.*)$/.exec(text)?.[1]
  if (home === undefined)
    refuse(
      `mode=${text} is no transaction mode`,
      'It is home:DC (all transactions go to that data centre) or global.',
    )
  return `home:${dataCentre(home, 'mode')}`
}

function dataCentre(text: string, option: string): string {
  if (!/^[a-zA-Z0-9_.-]+$/.test(text))
    refuse(
      `${option}= in the store URL: ${JSON.stringify(text)} is no name of a data centre`,
      'Use the name that `nodetool status` shows.',
    )
  return text
}

/** The URL again, without what is only for `store init`. It never had a secret. */
export function formatStoreUrl(url: StoreUrl): string {
  if (url.kind === 'directory') return `dir:${url.path}`
  const hosts = url.contactPoints.map((host) => (host.includes(':') ? `[${host}]` : host)).join(',')
  const user = url.user === undefined ? '' : `&user=${encodeURIComponent(url.user)}`
  const tls = url.tlsCa === undefined ? '' : `&tls=${encodeURIComponent(url.tlsCa)}`
  return `cassandra://${hosts}:${url.port}/${url.keyspace}?dc=${url.localDc}${tls}${user}`
}
