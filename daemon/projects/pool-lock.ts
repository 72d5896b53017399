/**
 * One daemon a pool: a socket without a file, whose name is the pool's GUID. The kernel gives it to one process at a time and
 * takes it back when that process ends, however it ends; a file with a pid would have to be judged.
 */
import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'

export interface PoolLock {
  /** May be called twice. */
  release(): Promise<void>
}

/** A command that a killed process was just starting has the socket too, until a moment later it is that command. */
const PATIENCE_MS = 2000
const PAUSE_MS = 50

/**
 * Rejects with `pool-locked` where another process has it. Holds among the processes of one network namespace: a daemon in a
 * container with a network of its own is not seen.
 */
export async function lockPool(poolGuid: string): Promise<PoolLock> {
  for (const end = performance.now() + PATIENCE_MS; ; await sleep(PAUSE_MS)) {
    try {
      return await tryLock(poolGuid)
    } catch (error) {
      if (errnoOf(error) !== 'EADDRINUSE') throw error
      if (performance.now() >= end) throw locked(poolGuid, error)
    }
  }
}

function tryLock(poolGuid: string): Promise<PoolLock> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen(`\0tidepool-pool-${poolGuid}`, () => {
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

function locked(poolGuid: string, cause: unknown): TidepoolError {
  return new TidepoolError('pool-locked', `another process works with the pool of GUID ${poolGuid}`, {
    cause,
    hint: `\`ss -xlp | grep tidepool-pool-${poolGuid}\` names it: end that one first.`,
    facts: { poolGuid },
  })
}
