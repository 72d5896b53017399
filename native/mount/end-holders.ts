/**
 * Ends the processes that keep a mount busy: asked first, then killed. Never the first process, never the kernel's, never one of
 * ours or of those that started us, and never another that has got the number of one that is gone.
 */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf } from '../../pipeline/base/errors.ts'
import { type Holder, holders, holdsStill } from './holders.ts'

export interface EndOptions {
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number
  /** Others that are ours, by their command line. */
  readonly isOurs?: (commandLine: string) => boolean
  readonly signal?: AbortSignal | undefined
}

export interface EndedHolders {
  readonly ended: readonly (Holder & { readonly by: 'SIGTERM' | 'SIGKILL' })[]
  /** Of whom none was touched. */
  readonly spared: readonly Holder[]
}

const POLL_MS = 50
/** The kernel ends a killed process as soon as it is done with what it waits for, which may be a disk. */
const KILLED_WITHIN_MS = 5000
const MAX_HOLDERS = 10_000
/** PF_KTHREAD of the kernel's flags. */
const KERNEL_THREAD = 0x0020_0000

/** Those who hold it when it is called; whoever comes meanwhile is left to another call. */
export async function endHolders(mountPoint: string, options: EndOptions): Promise<EndedHolders> {
  const { graceMs, signal } = options
  const going: Going[] = []
  const spared: Holder[] = []
  for (const holder of await holders(mountPoint, { max: MAX_HOLDERS })) {
    const known = await factsOf(holder.pid)
    if (!known) continue
    if (await isSpared(known, options)) spared.push(holder)
    else if (await holdsStill(holder.pid, mountPoint))
      going.push({ holder, startedAt: known.startedAt, by: 'SIGTERM' })
  }
  await tell(going)
  let left = await whileAlive(going, graceMs, signal)
  for (const one of left) one.by = 'SIGKILL'
  await tell(left)
  left = await whileAlive(left, KILLED_WITHIN_MS, signal)
  const ended = going.filter((one) => !left.includes(one)).map(({ holder, by }) => ({ ...holder, by }))
  return { ended, spared }
}

interface Going {
  readonly holder: Holder
  readonly startedAt: string
  by: 'SIGTERM' | 'SIGKILL'
}

async function tell(going: readonly Going[]): Promise<void> {
  for (const one of going)
    try {
      if (await isAlive(one)) process.kill(one.holder.pid, one.by)
    } catch (error) {
      if (errnoOf(error) !== 'ESRCH') throw error
    }
}

/** Those that are there still at the end of it. */
async function whileAlive(going: readonly Going[], limitMs: number, signal?: AbortSignal): Promise<Going[]> {
  for (const end = performance.now() + limitMs; ; ) {
    const alive: Going[] = []
    for (const one of going) if (await isAlive(one)) alive.push(one)
    if (alive.length === 0 || performance.now() >= end) return alive
    await sleep(POLL_MS)
    signal?.throwIfAborted()
  }
}

const isAlive = async ({ holder, startedAt }: Going): Promise<boolean> => {
  const now = await factsOf(holder.pid)
  return now?.startedAt === startedAt && now.state !== 'Z'
}

interface ProcessFacts {
  readonly pid: number
  readonly parent: number
  readonly state: string
  readonly flags: number
  /** Since the boot; with the number it names one process for ever. */
  readonly startedAt: string
}

/** Undefined where it has ended. */
async function factsOf(pid: number): Promise<ProcessFacts | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name stands in parentheses and may have some of its own.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, parent, , , , , flags] = fields
  const startedAt = fields[19]
  if (state === undefined || startedAt === undefined) return undefined
  return { pid, parent: Number(parent), state, flags: Number(flags), startedAt }
}

async function isSpared(facts: ProcessFacts, { isOurs = () => false }: EndOptions): Promise<boolean> {
  if (facts.pid <= 1 || (facts.flags & KERNEL_THREAD) !== 0) return true
  if (await isAncestor(facts.pid, process.pid)) return true
  if (await isAncestor(process.pid, facts.pid)) return true
  const line = await readFile(`/proc/${facts.pid}/cmdline`, 'utf8').catch(() => '')
  return isOurs(line.split('\0').join(' '))
}

/** Also of itself. */
async function isAncestor(ancestor: number, pid: number): Promise<boolean> {
  for (let at = pid; at > 1; at = (await factsOf(at))?.parent ?? 0) if (at === ancestor) return true
  return false
}
