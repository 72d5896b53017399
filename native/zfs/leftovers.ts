/**
 * Commands of ours that outlived the process that ran them: that was killed, and they were not. Known by what each of our commands has in its
 * environment, so that nobody else's is ever touched, nor one whose process still lives.
 */
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isGone, type ProcessIdentity, processOf, thisProcess } from '../../pipeline/base/process.ts'
import { commandLine } from './errors.ts'
import type { Commands } from './run.ts'

const STARTED_BY = 'TIDEPOOL_STARTED_BY'
/** What waits for its turn in place of zfs, and what zfs mounts by. The memory of others is not looked into: that may hang. */
const ALSO = ['flock', 'mount', 'mount.zfs']
/** As long as the kernel keeps a process's name. */
const COMM_LENGTH = 15
const POLL_MS = 50

let us: ProcessIdentity | null | undefined

/** For the environment of each command; empty where /proc does not tell who we are. */
export function startedByUs(): Readonly<Record<string, string>> {
  if (us === undefined) us = thisProcess()
  return us ? { [STARTED_BY]: `${us.pid} ${us.startTicks} ${us.bootId}` } : {}
}

export interface Leftover {
  readonly pid: number
  readonly command: string
  readonly args: readonly string[]
}

export interface Leftovers {
  readonly ended: readonly Leftover[]
  /** Which can't be ended: among the commands that are stuck until they do end. */
  readonly stuck: readonly Leftover[]
}

/**
 * Those whose arguments are meant are first waited for: their pipes have ended with their process, and so do most of them; what changes the
 * pool may come to its end. Then SIGTERM and SIGKILL. Where there are none it costs a look at the name of each process.
 */
export async function endLeftovers(
  commands: Commands,
  isMeant: (args: readonly string[]) => boolean,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Leftovers> {
  const { termGraceMs, killGraceMs, zfs } = commands.settings
  const found = (await leftovers([basename(zfs), ...ALSO])).filter(({ args }) => isMeant(args))
  const left = () => found.filter(({ identity }) => !isGone(identity))
  const within = async (limitMs: number): Promise<void> => {
    for (const end = performance.now() + limitMs; left().length > 0 && performance.now() < end; )
      await sleep(POLL_MS, undefined, signal ? { signal } : {})
  }
  // A signal in the middle of it can leave `zfs send` in the kernel for ever.
  await within(termGraceMs)
  for (const { pid } of left()) commands.tell(pid, 'SIGTERM')
  await within(termGraceMs)
  for (const { pid } of left()) commands.tell(pid, 'SIGKILL')
  await within(killGraceMs)
  const stuck = left()
  for (const { identity, ...one } of stuck)
    commands.adopt({ ...one, sinceMs: Date.now() }, () => isGone(identity))
  const told = ({ pid, command, args }: Leftover): Leftover => ({ pid, command, args })
  return { ended: found.filter((one) => !stuck.includes(one)).map(told), stuck: stuck.map(told) }
}

interface Found extends Leftover {
  readonly identity: ProcessIdentity
}

async function leftovers(names: readonly string[]): Promise<Found[]> {
  const short = names.map((name) => name.slice(0, COMM_LENGTH))
  const found: Found[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue
    const read = (file: string) => readFile(join('/proc', entry, file), 'utf8').catch(() => '')
    if (!short.includes((await read('comm')).trimEnd())) continue
    const identity = processOf(Number(entry))
    const starter = starterIn(await read('environ'))
    if (!identity || !starter || !isGone(starter)) continue
    const line = (await read('cmdline')).split('\0').slice(0, -1)
    const at = line.findIndex((word) => basename(word) === names[0])
    const args = line.slice(at + 1)
    const command = at < 0 ? line.join(' ') : commandLine('zfs', args)
    found.push({ pid: identity.pid, command, args, identity })
  }
  return found
}

function starterIn(environ: string): ProcessIdentity | undefined {
  const entry = environ.split('\0').find((one) => one.startsWith(`${STARTED_BY}=`))
  const [, pid, startTicks, bootId] = /=([0-9]+) ([0-9]+) (.+)$/.exec(entry ?? '') ?? []
  if (pid === undefined || startTicks === undefined || bootId === undefined) return undefined
  return { pid: Number(pid), startTicks: BigInt(startTicks), bootId }
}
