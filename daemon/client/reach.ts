/** Finds who may answer a request, and asks there: root's socket, or where that is not for the caller, the owners'. */
import { codeOf } from '../../pipeline/base/errors.ts'
import { ownerTarget, type Remote, remoteTarget, socketTarget, type Target } from './target.ts'

export type Where = { readonly socket: string } | Remote

/** `use` is called again only where what it did before was refused. */
export async function reach<T>(where: Where, path: string, use: (target: Target) => Promise<T>): Promise<T> {
  if (!('socket' in where)) return use(await remoteTarget(where))
  const { socket } = where
  try {
    return await use(socketTarget(socket))
  } catch (error) {
    if (codeOf(error) !== 'daemon-forbidden') throw error
  }
  const first = await ownerTarget(socket, path)
  try {
    return await use(first)
  } catch (error) {
    if (codeOf(error) !== 'unauthenticated' && codeOf(error) !== 'too-many-failures') throw error
    // The daemon gives a token to a new owner when it is asked.
    const again = await ownerTarget(socket, path)
    if (again.token === first.token) throw first.missing ?? error
    return use(again)
  }
}
