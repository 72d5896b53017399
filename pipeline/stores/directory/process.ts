/** Which process this is and whether another is still there, as /proc tells: a pid comes back, one with its start time does not. */
import { readFile, readlink } from 'node:fs/promises'

export interface Process {
  readonly pid: number
  readonly startTicks: string
  readonly bootId: string
  /** Pids mean the same only inside one namespace: two containers may share a directory. */
  readonly pidNamespace: string
}

export async function thisProcess(): Promise<Process> {
  const stat = await statOf(process.pid)
  return {
    pid: process.pid,
    startTicks: stat?.startTicks ?? '',
    bootId: (await read('/proc/sys/kernel/random/boot_id')).trim(),
    pidNamespace: await readlink('/proc/self/ns/pid').catch(() => ''),
  }
}

/** Undefined where this process can't tell. */
export async function isGone(other: Process, self: Process): Promise<boolean | undefined> {
  if (other.bootId !== self.bootId) return true
  if (other.pidNamespace !== self.pidNamespace) return undefined
  const stat = await statOf(other.pid)
  return stat?.startTicks !== other.startTicks || stat.state === 'Z' || stat.state === 'X'
}

/** `1234 (node, stopped)`. */
export async function describe(pid: number): Promise<{ readonly text: string; readonly stopped: boolean }> {
  const stat = await statOf(pid)
  const stopped = stat?.state === 'T' || stat?.state === 't'
  const remarks = [...(stat ? [stat.name] : []), ...(stopped ? ['stopped'] : [])]
  return { text: remarks.length > 0 ? `${pid} (${remarks.join(', ')})` : String(pid), stopped }
}

interface Stat {
  readonly name: string
  readonly state: string
  readonly startTicks: string
}

async function statOf(pid: number): Promise<Stat | undefined> {
  const text = await read(`/proc/${pid}/stat`)
  // The name stands in brackets and may hold any character, brackets too.
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  if (open < 0 || close < 0) return undefined
  const fields = text.slice(close + 2).split(' ')
  return { name: text.slice(open + 1, close), state: fields[0] ?? '', startTicks: fields[19] ?? '' }
}

/** Nothing where there is no such file: a process that has ended, or a system without /proc. */
async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}
