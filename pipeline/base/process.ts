/**
 * Tells one process from every other on this machine, and whether it is gone: so that what it left behind can be
 * cleaned at once instead of after minutes of watching.
 */
import { readFileSync, readlinkSync } from 'node:fs'

export interface ProcessIdentity {
  /** Which boot of which machine, and which of its pid namespaces: only there does the pid mean anything. */
  readonly bootId: string
  readonly pid: number
  /** In clock ticks since boot, as /proc tells: a pid comes back, a pid with its start time does not. */
  readonly startTicks: bigint
}

/** This process; null where /proc does not tell, and then others judge it by its heartbeat alone. */
export const thisProcess = (): ProcessIdentity | null => processOf(process.pid)

/** Another one of this machine, as it is now; null where there is none, or /proc does not tell. */
export function processOf(pid: number): ProcessIdentity | null {
  const bootId = thisBoot()
  const stat = statOf(pid === process.pid ? 'self' : String(pid))
  return bootId === null || stat === null ? null : { bootId, pid, startTicks: stat.startTicks }
}

/**
 * True only where it is certain: the process ran here, in this boot, and runs no more. Another boot may be another
 * machine, so it proves nothing.
 */
export function isGone(identity: ProcessIdentity): boolean {
  const { bootId, pid, startTicks } = identity
  // 0 and negative numbers address groups of processes.
  if (!Number.isSafeInteger(pid) || pid <= 0 || bootId !== thisBoot()) return false
  if (!exists(pid)) return true
  const stat = statOf(String(pid))
  return stat !== null && (stat.startTicks !== startTicks || stat.over)
}

/** Not by looking for /proc/PID: `hidepid` hides other users' living processes there. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Two containers share a boot id and not their pids, hence the namespace. */
function thisBoot(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    // No Linux /proc here: nobody can be told to be gone.
    return null
  }
}

interface Stat {
  readonly startTicks: bigint
  /** Dead, and only its parent has not looked yet. */
  readonly over: boolean
}

function statOf(pid: string): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The command's name stands in brackets and may hold spaces and brackets itself; fields count from behind it.
    const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = fields[18]
    return ticks === undefined ? null : { startTicks: BigInt(ticks), over: state === 'Z' || state === 'X' }
  } catch {
    // It ended just now, or this user may not look.
    return null
  }
}
