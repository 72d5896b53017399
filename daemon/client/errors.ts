/** What goes wrong between a client and a daemon, as errors of ours. */
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ErrorBody } from '../control/errors.ts'

/** The error that it was there. */
export function errorOf({ error }: ErrorBody): TidepoolError {
  const { code, message, hint, temporary, facts } = error
  return new TidepoolError(code, message, { ...(hint !== undefined && { hint }), temporary, facts })
}

/** Why there was no answer. */
export function broken(socket: string, cause: unknown): TidepoolError {
  const errno = errnoOf(cause)
  if (errno === 'ENOENT' || errno === 'ECONNREFUSED')
    return new TidepoolError('daemon-missing', `no daemon answers on ${socket}`, {
      cause,
      hint: 'Start it (systemctl start tidepool, or npm start in a checkout), or say with --socket where it is.',
    })
  if (errno === 'EACCES')
    return new TidepoolError('daemon-forbidden', `this user may not speak to the daemon on ${socket}`, {
      cause,
      hint: 'Ask as root.',
    })
  return new TidepoolError('daemon-left', 'the daemon went away before it had answered', {
    cause,
    temporary: true,
    hint: 'It may have been done: `tidepool status` shows how things are.',
  })
}
