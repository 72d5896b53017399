/** One access process a root: another one would take away, as left by a killed process, what the first still serves. */
import { createHash } from 'node:crypto'
import { type SocketLock, socketLock } from '../../native/lock/socket-lock.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'

/** Rejects with `root-locked` where another process serves it. */
export async function lockRoot(root: string): Promise<SocketLock> {
  // A path may be longer than such a name can be.
  const name = `tidepool-access-${createHash('sha256').update(root).digest('hex').slice(0, 32)}`
  const lock = await socketLock(name)
  if (lock) return lock
  throw new TidepoolError('root-locked', `another process serves ${root}`, {
    hint: `\`ss -xlp | grep ${name}\` names it: end that one first.`,
    facts: { root },
  })
}
