/** What rings need beside Node: how each is started, told to the tests, and ended. */
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'

export type NeedName = 'cassandra' | 'zfs'

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
  cassandra,
  zfs,
}

const inSupport = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const cassandraScript = inSupport('cassandra.sh')
const zfsScript = inSupport('zfs-fuse.sh')
const contactPoint = '127.0.0.1:9042'

async function cassandra(signal: AbortSignal): Promise<Provided | Missing> {
  const env = { TIDEPOOL_TEST_CASSANDRA: process.env.TIDEPOOL_TEST_CASSANDRA ?? contactPoint }
  const left = { env, end: async () => {} }
  if (process.env.TIDEPOOL_TEST_CASSANDRA) return left
  if (await listens(9042, '127.0.0.1')) return left
  const end = async () => void (await run(cassandraScript, ['stop']))
  const started = await run(cassandraScript, ['start', '--fresh', '--with-pid', String(process.pid)], signal)
  if (started.code === 3) return { missing: started.output }
  if (started.code === 0) return { env, end }
  await end()
  signal.throwIfAborted()
  throw new Error(`a Cassandra node could not be started:\n${started.output}`)
}

/** The kernel's ZFS where there is one, else zfs-fuse, which all runs of tests on the machine share. */
async function zfs(signal: AbortSignal): Promise<Provided | Missing> {
  const pid = String(process.pid)
  const end = async () => void (await run(zfsScript, ['stop', pid]))
  const started = await run(zfsScript, ['start', pid], signal)
  if (started.code === 3) return { missing: started.output }
  if (started.code === 0) return { env: {}, end }
  await end()
  signal.throwIfAborted()
  throw new Error(`no ZFS could be started:\n${started.output}`)
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

function run(
  script: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    // A session of its own: a Ctrl-C ends it when we say so, not in the middle of a start.
    const child = spawn('sh', [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    const abort = () => void (child.pid && process.kill(-child.pid, 'SIGTERM'))
    signal?.addEventListener('abort', abort, { once: true })
    child.once('error', reject)
    child.once('close', (code) => {
      signal?.removeEventListener('abort', abort)
      resolve({ code, output: output.trim() })
    })
  })
}
