/** The name that a process leaves in the gate: who it is, and whether it is still there. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../base/errors.ts'
import { isGone, type ProcessIdentity, thisProcess } from '../../base/process.ts'

export interface Card {
  readonly pid: number
  /** The card's own file, beside the gate. */
  readonly file: string
  /** Null on a system that can't tell its processes apart. */
  readonly identity: ProcessIdentity | null
  /** When it was last put into the gate or taken out. */
  readonly changedAtMs: number
}

/** Whoever can't be looked up (in another container) is taken for gone after this; if it is not, LMDB's lock stands. */
const UNKNOWN_HOLDER_MS = 60_000

export async function writeCard(directory: string, file: string): Promise<void> {
  const identity = thisProcess()
  const text = JSON.stringify(
    {
      pid: process.pid,
      file,
      identity: identity && { ...identity, startTicks: String(identity.startTicks) },
    },
    null,
    1,
  )
  try {
    await writeFile(join(directory, file), text)
  } catch (error) {
    // On a full disk it is there and empty, and would stand in the gate without a name.
    await rm(join(directory, file), { force: true })
    throw error
  }
}

/** Undefined where it was given back just now. */
export async function readCard(path: string): Promise<Card | undefined> {
  try {
    const { ctimeMs: changedAtMs } = await stat(path)
    const { pid, file, identity } = parse(await readFile(path, 'utf8'))
    return {
      pid,
      file,
      identity: identity && { ...identity, startTicks: BigInt(identity.startTicks) },
      changedAtMs,
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

interface CardText {
  readonly pid: number
  readonly file: string
  readonly identity: (Omit<ProcessIdentity, 'startTicks'> & { readonly startTicks: string }) | null
}

function parse(text: string): CardText {
  try {
    return JSON.parse(text)
  } catch {
    // A crash of the machine left it without its content; it grows old and is then taken for gone.
    return { pid: 0, file: '', identity: null }
  }
}

export function hasGone({ identity, changedAtMs }: Card): boolean {
  if (identity && (isGone(identity) || bootOf(identity) !== bootOf(thisProcess()))) return true
  const known = identity && identity.bootId === thisProcess()?.bootId
  return !known && Date.now() - changedAtMs > UNKNOWN_HOLDER_MS
}

/** A directory store has one machine: another boot of it is over, with every process in it. */
function bootOf(identity: ProcessIdentity | null): string | undefined {
  return identity?.bootId.split(' ')[0]
}

/** `1234 (node, stopped)`. */
export async function describe(pid: number): Promise<{ readonly text: string; readonly stopped: boolean }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const name = /^Name:\s*(.*)$/m.exec(status)?.[1]
  const stopped = /^State:\s*[Tt]/m.test(status)
  const remarks = [...(name ? [name] : []), ...(stopped ? ['stopped'] : [])]
  return { text: remarks.length > 0 ? `${pid} (${remarks.join(', ')})` : String(pid), stopped }
}

/** Takes away what processes left that were killed; nobody misses it, but it would grow. */
export async function sweepCards(directory: string, prefix: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix)) continue
    const card = await readCard(join(directory, name))
    if (card && hasGone(card)) await rm(join(directory, name), { force: true })
  }
}
