/** One daemon a pool: whoever works with it has a lock that is named by the pool's GUID. */
import { type SocketLock, socketLock } from '../../native/lock/socket-lock.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'

export type PoolLock = SocketLock

/** Rejects with `pool-locked` where another process has it. */
export async function lockPool(poolGuid: string): Promise<PoolLock> {
  const lock = await socketLock(`tidepool-pool-${poolGuid}`)
  if (lock) return lock
  throw new TidepoolError('pool-locked', `another process works with the pool of GUID ${poolGuid}`, {
    hint: `\`ss -xlp | grep tidepool-pool-${poolGuid}\` names it: end that one first.`,
    facts: { poolGuid },
  })
}
