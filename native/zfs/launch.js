// @ts-check
/**
 * A process that does nothing but start commands for another one, over its channel. Starting one copies the tables of all of a
 * process's memory: 0.7 ms for this one of 50 MiB, 4 ms at 150 MiB and 12 at 350, in which a daemon could do nothing else. JavaScript as it stands,
 * so that nothing is loaded with it that makes it larger.
 */
import { spawn } from 'node:child_process'

/** @type {Map<number, number>} */
const groups = new Map()

/** @param {object} message */
function tell(message) {
  // Without whoever asked, what was begun still comes to its end.
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

/** @param {number} id @param {NodeJS.Signals} signal */
function signalGroup(id, signal) {
  const pid = groups.get(id)
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It has ended by itself, or is out of reach: then it is found out that it does not end.
  }
}

/** @param {number} id @param {string} program @param {readonly string[]} args */
function begin(id, program, args) {
  try {
    return spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  } catch (error) {
    // Out of memory, or of descriptors: that one command fails.
    tell({ id, error: { message: error instanceof Error ? error.message : String(error) } })
    return undefined
  }
}

/** @param {number} id @param {string} program @param {readonly string[]} args */
function start(id, program, args) {
  const child = begin(id, program, args)
  if (child === undefined) return
  if (child.pid !== undefined) {
    groups.set(id, child.pid)
    tell({ id, pid: child.pid })
  }
  // Where there was no descriptor left there are no pipes, and `error` follows.
  child.stdout?.on('data', (out) => tell({ id, out }))
  child.stderr?.on('data', (err) => tell({ id, err }))
  for (const pipe of [child.stdout, child.stderr]) pipe?.on('error', () => {})
  child.once('error', ({ message, ...facts }) => {
    if (child.pid === undefined) tell({ id, error: { message, ...facts } })
  })
  // What it started and did not wait for holds its pipes, and would keep its end from being seen.
  child.once('exit', () => signalGroup(id, 'SIGKILL'))
  child.once('close', (code, signal) => {
    groups.delete(id)
    if (child.pid !== undefined) tell({ id, code, signal })
  })
}

process.on('message', (/** @type {import('./launcher.ts').Order} */ order) => {
  if ('signal' in order) signalGroup(order.id, order.signal)
  else start(order.id, order.program, order.args)
})
// It ends with whoever asks it, once what was begun has ended, and before that at no signal to them both.
for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(name, () => {})
tell({ ready: true })
