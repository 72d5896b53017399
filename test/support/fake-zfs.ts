/** A ZFS that is a file and some directories: quick, needs no root, and fails as it is told. */
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type { Capabilities } from '../../native/zfs/capabilities.ts'
import { type DatasetName, datasetName, poolName } from '../../native/zfs/names.ts'
import { poolCreate } from '../../native/zfs/pool.ts'
import { Commands } from '../../native/zfs/run.ts'
import type { CommandSettings } from '../../native/zfs/settings.ts'
import { openZfs, type Zfs } from '../../native/zfs/zfs.ts'
import { temporaryDirectory } from './directory.ts'

export interface Fault {
  /** A regular expression for `zfs destroy pool/x` and the like. */
  readonly match: string
  readonly times?: number
  /**
   * `fail` says `stderr` and ends with `exit`; `hang` does nothing for ever; `die` is killed before the deed, `die-after`
   * after it; `cut` ends a stream after `bytes`, with `stderr` and `exit`; `stall` stops there for ever.
   */
  readonly action?: 'fail' | 'hang' | 'die' | 'die-after' | 'cut' | 'stall'
  readonly stderr?: string
  readonly exit?: number
  readonly bytes?: number
  readonly delayMs?: number
  /** All commands are deaf to SIGTERM then. */
  readonly ignoreTerm?: boolean
}

export interface Call {
  readonly program: 'zfs' | 'zpool'
  readonly args: readonly string[]
  readonly locale: string | undefined
}

export interface FakeZfs {
  readonly zfs: Zfs
  readonly settings: Partial<CommandSettings>
  /** Pool and parent are there: `tank/projects`. */
  readonly parent: DatasetName
  /** Where tests may mount. */
  readonly mounts: string
  readonly directory: string
  faults(...faults: Fault[]): Promise<void>
  /** What was run, one line each, since the last call of this. */
  calls(): Promise<string[]>
  /** Reads and changes what the fake knows, while no command runs. */
  state<T>(change: (state: FakeState) => T): Promise<T>
}

/** The part of its file that tests touch. */
export interface FakeState {
  full?: boolean
  datasets: Record<
    string,
    {
      guid: string
      props: Record<string, string>
      snapshots: { tag: string; guid: string; holds: string[] }[]
      /** What they hold on to, where a test says so. */
      snapshotBytes?: number
    }
  >
  pools: Record<string, { health: string; readonly?: 'on' | 'off'; lacks?: readonly string[] }>
  /** With who used it last, where that was another host, which then has not exported it. */
  exported: Record<string, { usedBy?: { host: string; hostid: string; at: string } }>
}

const client = readFileSync(new URL('./fake-zfs/client.bash', import.meta.url), 'utf8')
let serving: Promise<number> | undefined
/** Not the same in two processes: a pool's GUID is a lock of the whole machine. */
let worlds = BigInt(process.pid) << 20n

/** One server for all tests of this process; it ends with it. */
function server(): Promise<number> {
  serving ??= new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./fake-zfs/server.mjs', import.meta.url)), {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    child.once('message', (port) => {
      // Neither it nor the channel to it keeps a test file from ending.
      child.unref()
      child.channel?.unref()
      resolve(Number(port))
    })
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the server of the fake exited (${code})`)))
  })
  return serving
}

/** No two fakes of a test have a GUID in common: streams go from one to the other. */
function nextSeed(): bigint {
  worlds += 1n
  return (worlds * 0xbf58476d1ce4e5b9n) % 2n ** 64n
}

export type Flavour = 'openzfs' | 'zfs-fuse'

/** What a fake is before its test begins. The first of each flavour is made by the commands of a host; eight of them each time. */
interface Beginning {
  readonly directory: string
  readonly seed: bigint
  readonly state: string
  readonly capabilities: Capabilities
}

const beginnings = new Map<Flavour, Beginning>()
const POOL_BYTES = 2n ** 26n
const PARENT = datasetName('tank/projects')

async function begun(directory: string, flavour: Flavour, settings: Partial<CommandSettings>): Promise<Zfs> {
  const file = (name: string) => join(directory, name)
  const seed = nextSeed()
  const before = beginnings.get(flavour)
  if (!before) {
    const nothing = { flavour, seed: String(seed), txg: 4, pools: {}, exported: {}, datasets: {} }
    await writeFile(file('state.json'), JSON.stringify(nothing))
    const zfs = await openZfs(settings)
    const pool = {
      pool: poolName('tank'),
      device: file('tank.img'),
      fileBytes: POOL_BYTES,
      parent: 'projects',
    }
    assert.is(await poolCreate(zfs, pool), PARENT)
    const state = await readFile(file('state.json'), 'utf8')
    beginnings.set(flavour, { directory, seed, state, capabilities: zfs.capabilities })
    await writeFile(file('calls.jsonl'), '')
    return zfs
  }
  const shifted = (guid: string): string =>
    String((BigInt(guid) + 2n ** 64n - before.seed + seed) % 2n ** 64n)
  const state = before.state
    .replaceAll(before.directory, directory)
    .replace(/"seed":"\d+"/, `"seed":"${seed}"`)
    .replace(/"guid":"(\d+)"/g, (_, guid: string) => `"guid":"${shifted(guid)}"`)
  const { datasets } = JSON.parse(state) as { datasets: Record<string, { files: string }> }
  for (const { files } of Object.values(datasets)) await mkdir(join(file('files'), files))
  const device = await open(file('tank.img'), 'wx', 0o600)
  await device.truncate(Number(POOL_BYTES)).finally(() => device.close())
  await writeFile(file('state.json'), state)
  return { commands: new Commands(settings), capabilities: before.capabilities }
}

export async function withFakeZfs(
  body: (fake: FakeZfs) => Promise<void>,
  { flavour = 'openzfs', ...settings }: { flavour?: Flavour } & Partial<CommandSettings> = {},
): Promise<void> {
  const { path: directory, remove } = await temporaryDirectory()
  try {
    const port = await server()
    for (const program of ['zfs', 'zpool']) {
      const script = join(directory, program)
      await writeFile(
        script,
        `#!/bin/bash\ndirectory='${directory}' port=${port} program=${program}\n${client}`,
      )
      await chmod(script, 0o755)
    }
    const file = (name: string) => join(directory, name)
    await mkdir(file('files'))
    await writeFile(file('faults.json'), '[]')
    await writeFile(file('calls.jsonl'), '')
    await writeFile(file('mountinfo'), '1 0 0:1 / / rw - tmpfs none rw\n')
    const all: Partial<CommandSettings> = {
      zfs: file('zfs'),
      zpool: file('zpool'),
      mountInfo: file('mountinfo'),
      termGraceMs: 200,
      killGraceMs: 1000,
      busyLimitMs: 2000,
      ...settings,
    }
    const zfs = await begun(directory, flavour, all)
    // Read on from where it was, and not emptied: what is written between a look and the emptying would never be seen.
    let seenBytes = 0
    const calls = async (): Promise<string[]> => {
      const bytes = await readFile(file('calls.jsonl'))
      const whole = bytes.subarray(seenBytes, bytes.lastIndexOf('\n') + 1)
      seenBytes += whole.length
      const lines = whole.toString().split('\n').slice(0, -1)
      return lines
        .map((line) => JSON.parse(line) as Call)
        .map(({ program, args }) => [program, ...args].join(' '))
    }
    await body({
      zfs,
      settings: all,
      parent: PARENT,
      mounts: file('mnt'),
      directory,
      faults: async (...faults) => {
        await writeFile(file('faults.json'), JSON.stringify(faults))
        if (faults.some(({ ignoreTerm }) => ignoreTerm)) await writeFile(file('deaf'), '')
        else await rm(file('deaf'), { force: true })
      },
      calls,
      state: async (change) => {
        const state = JSON.parse(await readFile(file('state.json'), 'utf8')) as FakeState
        const result = change(state)
        await writeFile(file('state.json'), JSON.stringify(state))
        return result
      },
    })
  } finally {
    await remove()
  }
}
