/**
 * One daemon a pool: a socket without a file, whose name is the pool's GUID. The kernel gives it to one process at a time and
 * takes it back when that process ends, however it ends; a file with a pid would have to be judged.
 */
import { createServer, type Server } from 'node:net'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'

export interface PoolLock {
  /** May be called twice. */
  release(): Promise<void>
}

/**
 * Rejects with `pool-locked` where another process has it. Holds among the processes of one network namespace: a daemon in a
 * container with a network of its own is not seen.
 */
export function lockPool(poolGuid: string): Promise<PoolLock> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (cause) => reject(refused(poolGuid, cause)))
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

function refused(poolGuid: string, cause: unknown): unknown {
  if (errnoOf(cause) !== 'EADDRINUSE') return cause
  return new TidepoolError('pool-locked', `another process works with the pool of GUID ${poolGuid}`, {
    cause,
    hint: `\`ss -xlp | grep tidepool-pool-${poolGuid}\` names it: end that one first.`,
    facts: { poolGuid },
  })
}
