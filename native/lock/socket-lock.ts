/**
 * A lock among the processes of this machine: a socket without a file. The kernel gives its name to one process at a time and takes
 * it back when that process ends, however it ends; a file with a pid would have to be judged.
 */
import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf } from '../../pipeline/base/errors.ts'

export interface SocketLock {
  /** May be called twice. */
  release(): Promise<void>
}

/** A command that a killed process was just starting has the socket too, until a moment later it is that command. */
const PATIENCE_MS = 2000
const PAUSE_MS = 50

/**
 * Undefined where another process has it. Holds among the processes of one network namespace: one in a container with a network of its
 * own is not seen. A name has at most 100 characters.
 */
export async function socketLock(name: string): Promise<SocketLock | undefined> {
  for (const end = performance.now() + PATIENCE_MS; ; await sleep(PAUSE_MS)) {
    try {
      return await tryLock(name)
    } catch (error) {
      if (errnoOf(error) !== 'EADDRINUSE') throw error
      if (performance.now() >= end) return undefined
    }
  }
}

function tryLock(name: string): Promise<SocketLock> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen(`\0${name}`, () => {
      // It keeps the lock, not the process.
      server.unref()
      resolve({ release: () => closed(server) })
    })
  })
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
