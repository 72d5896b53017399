/** What goes wrong between a client and a daemon, as errors of ours. */
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { ErrorBody } from '../control/errors.ts'
import type { Target } from './target.ts'

/** The error that it was there. */
export function errorOf(answer: unknown, from = 'the daemon'): TidepoolError {
  const told = (answer as Partial<ErrorBody> | null)?.error
  if (typeof told !== 'object' || told === null)
    return new TidepoolError('daemon-answer', `${from} answers with an error, and not as a daemon of ours`)
  const { code, message, hint, temporary, facts } = told
  return new TidepoolError(code, message, { ...(hint !== undefined && { hint }), temporary, facts })
}

const NOBODY = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
])
/** What Node and OpenSSL call a certificate that is not believed. */
const CERTIFICATE = /^(ERR_TLS_CERT|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/

/** Why there was no answer. */
export function broken({ name, connect }: Target, cause: unknown): unknown {
  const errno = errnoOf(cause) ?? ''
  if (NOBODY.has(errno))
    return new TidepoolError('daemon-missing', `no daemon answers on ${name}`, {
      cause,
      hint:
        'socketPath' in connect
          ? 'Start it (systemctl start tidepool, or npm start in a checkout), or say with --socket where it is.'
          : 'Start it there, and see that its port can be reached from here.',
    })
  if (errno === 'EACCES')
    return new TidepoolError('daemon-forbidden', `this user may not speak to the daemon on ${name}`, {
      cause,
      hint: 'Ask as root.',
    })
  if (CERTIFICATE.test(errno))
    return new TidepoolError('daemon-certificate', `the certificate of ${name} is not believed: ${errno}`, {
      cause,
      hint: 'Give the authority that has signed it with --ca-file, and ask by a name that it is made for.',
    })
  return new TidepoolError('daemon-left', 'the daemon went away before it had answered', {
    cause,
    temporary: true,
    hint: 'It may have been done: `tidepool status` shows how things are.',
  })
}
