/** What rings need beside Node: how each is started, told to the tests, and ended. */
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { loadAddon } from '../../../native/fuse/addon.ts'
import { CLUSTER_NODES, clusterStart } from '../cluster-nodes.ts'
import { runScript } from './script.ts'

export type NeedName = 'browser' | 'cassandra' | 'cluster' | 'fuse' | 'systemd' | 'zfs'

/** Something that is there now: what tests are told of it, and how it ends (nothing, where it was there before). */
export interface Provided {
  readonly env: Readonly<Record<string, string>>
  end(): Promise<void>
}

/** Why it cannot be had on this machine, though nothing is broken. */
export interface Missing {
  readonly missing: string
}

export const needs: Readonly<Record<NeedName, (signal: AbortSignal) => Promise<Provided | Missing>>> = {
  browser,
  cassandra,
  cluster,
  fuse,
  systemd,
  zfs,
}

/** What has the same addresses is ended before the other is started. */
export const rivals: Readonly<Record<NeedName, readonly NeedName[]>> = {
  browser: [],
  cassandra: ['cluster'],
  cluster: ['cassandra'],
  fuse: [],
  systemd: [],
  zfs: [],
}

const contactPoint = '127.0.0.1:9042'
const myPid = String(process.pid)

async function cassandra(signal: AbortSignal): Promise<Provided | Missing> {
  const env = { TIDEPOOL_TEST_CASSANDRA: process.env.TIDEPOOL_TEST_CASSANDRA ?? contactPoint }
  const left = { env, end: async () => {} }
  if (process.env.TIDEPOOL_TEST_CASSANDRA) return left
  if (await listens(9042, '127.0.0.1')) return left
  return started(
    { what: 'Cassandra node', script: 'cassandra.sh', start: ['start', '--fresh', '--with-pid', myPid], env },
    signal,
  )
}

/** Always its own: its tests kill and stop nodes, which others may be using. */
async function cluster(signal: AbortSignal): Promise<Provided | Missing> {
  for (const address of CLUSTER_NODES)
    if (await listens(9042, address))
      return {
        missing: `something listens on ${address}:9042 already, and these tests kill nodes of their own there; end it first`,
      }
  const start = [...clusterStart(process.pid), '--fresh']
  const env = { TIDEPOOL_TEST_CLUSTER_PID: myPid }
  return started({ what: 'cluster', script: 'cassandra.sh', start, env }, signal)
}

/** The kernel's ZFS where there is one, else zfs-fuse, which all runs of tests on the machine share. */
async function zfs(signal: AbortSignal): Promise<Provided | Missing> {
  const args = { start: ['start', myPid], stop: ['stop', myPid] }
  return started({ what: 'ZFS', script: 'zfs-fuse.sh', ...args }, signal)
}

/** Its programs, which do what they do here wherever systemd is not the first process too. */
async function systemd(): Promise<Provided | Missing> {
  const lacking = ['systemd-analyze', 'systemd-notify'].filter((name) => !existsSync(`/usr/bin/${name}`))
  if (lacking.length > 0) return { missing: `${lacking.join(' and ')} are not installed` }
  return { env: {}, end: async () => {} }
}

/** Debian's; each test starts its own. */
async function browser(): Promise<Provided | Missing> {
  const path = process.env.TIDEPOOL_TEST_CHROMIUM ?? '/usr/bin/chromium'
  if (!existsSync(path)) return { missing: `there is no ${path}: apt-get install chromium` }
  return { env: { TIDEPOOL_TEST_CHROMIUM: path }, end: async () => {} }
}

/** The kernel's, and the addon with its library: nothing has to be started. */
async function fuse(): Promise<Provided | Missing> {
  if (process.getuid?.() !== 0) return { missing: 'mounting a root of links needs root' }
  if (!existsSync('/dev/fuse')) return { missing: 'there is no /dev/fuse' }
  try {
    await loadAddon()
  } catch (error) {
    return { missing: (error as Error).message }
  }
  return { env: {}, end: async () => {} }
}

interface Start {
  /** For the message: `no ZFS could be started`. */
  readonly what: string
  readonly script: Parameters<typeof runScript>[0]
  readonly start: readonly string[]
  readonly stop?: readonly string[]
  readonly env?: Provided['env']
}

async function started(
  { what, script, start, stop = ['stop'], env = {} }: Start,
  signal: AbortSignal,
): Promise<Provided | Missing> {
  const end = async () => void (await runScript(script, stop))
  const { code, output } = await runScript(script, start, signal)
  if (code === 3) return { missing: output }
  if (code === 0) return { env, end }
  await end()
  signal.throwIfAborted()
  throw new Error(`no ${what} could be started:\n${output}`)
}

function listens(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    const answer = (open: boolean) => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => answer(true)).once('error', () => answer(false))
  })
}
