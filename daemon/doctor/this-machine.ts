/** The world as it is. */
import { access, constants, mkdtemp, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { connect } from 'node:tls'
import { loadAddon } from '../../native/fuse/addon.ts'
import { answersWalks } from '../../native/fuse/pulse.ts'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { openZfs } from '../../native/zfs/zfs.ts'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { type OpenedStore, openStore } from '../../pipeline/stores/open.ts'
import { PROBE } from '../access/root.ts'
import { Client } from '../client/client.ts'
import { readConfig } from '../config/read.ts'
import type { Config } from '../config/schema.ts'
import { socketOf } from '../daemon.ts'
import { configOf, type World } from './world.ts'

/** Shorter than a check's limit, so that the command that hangs is named and not only the check. */
const ZFS_LIMITS = { readLimitMs: 7_000, termGraceMs: 500, killGraceMs: 500 }
const WALK_LIMIT_MS = 5_000
const DAEMON_LIMIT_MS = 8_000
const PLACES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

export interface Machine {
  readonly world: World
  /** Of what was opened on the way. */
  close(): Promise<void>
}

export async function thisMachine(options: {
  readonly configFile: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}): Promise<Machine> {
  const { configFile, env, signal } = options
  const config = await readConfig(configFile).catch((error: unknown) => ({ error }))
  const zfs = once(() => openZfs(ZFS_LIMITS, { signal }))
  const opened = once((): Promise<OpenedStore> => {
    const { store } = config as Config
    return openStore(store, { env, signal })
  })
  const world: World = {
    configFile,
    config,
    uid: process.getuid?.() ?? 0,
    nodeVersion: process.versions.node,
    nowMs: Date.now,
    read: readOrNothing,
    mayUse: (file) =>
      access(file, constants.R_OK | constants.W_OK).then(
        () => true,
        () => false,
      ),
    program: (name) => find(name, env.PATH ?? ''),
    space,
    mounts: () => readMounts(),
    loadAddon,
    zfs: () => zfs.get(),
    store: async () => (await opened.get()).store,
    fileTimeMs,
    peerCertificateEndMs,
    askDaemon: (path, signal) =>
      new Client({ socket: socketOf(config as Config), limitMs: DAEMON_LIMIT_MS }).call('GET', path, {
        signal,
      }),
    answersWalks: (root) => answersWalks(root, PROBE, WALK_LIMIT_MS),
  }
  return {
    world,
    close: async () => {
      if (configOf(world)) await opened.begun?.then((store) => store.close()).catch(() => {})
    },
  }
}

/** Asked for by many, begun by the first. */
function once<T>(begin: () => Promise<T>): { get(): Promise<T>; begun: Promise<T> | undefined } {
  const shared = {
    begun: undefined as Promise<T> | undefined,
    get: (): Promise<T> => {
      shared.begun ??= begin()
      return shared.begun
    },
  }
  return shared
}

async function readOrNothing(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

async function find(name: string, path: string): Promise<string | undefined> {
  for (const directory of [...path.split(':').filter((each) => each.startsWith('/')), ...PLACES]) {
    const file = join(directory, name)
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file
  }
  return undefined
}

async function space(directory: string): Promise<Awaited<ReturnType<World['space']>>> {
  try {
    const { bavail, bsize, blocks, ffree, files } = await statfs(directory, { bigint: true })
    return {
      freeBytes: bavail * bsize,
      totalBytes: blocks * bsize,
      freeInodes: ffree,
      totalInodes: files,
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || directory === '/') throw error
    return space(dirname(directory))
  }
}

async function fileTimeMs(directory: string): Promise<number> {
  const own = await mkdtemp(join(directory, 'doctor-'))
  try {
    const file = join(own, 'now')
    await writeFile(file, '')
    return (await stat(file)).mtimeMs
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

/** Whoever signed it: that is for those to judge who connect for work. */
function peerCertificateEndMs(host: string, port: number, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, rejectUnauthorized: false }, () => {
      const { valid_to: end } = socket.getPeerCertificate()
      socket.destroy()
      const endMs = Date.parse(end ?? '')
      if (Number.isNaN(endMs))
        reject(new TidepoolError('no-certificate', `${host}:${port} shows no certificate`))
      else resolve(endMs)
    })
    const leave = (): void => void socket.destroy(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    socket.once('close', () => signal.removeEventListener('abort', leave))
    socket.once('error', reject)
  })
}
