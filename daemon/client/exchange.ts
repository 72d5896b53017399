/** One request and its whole answer; what the connection failed with is told in the words of whoever asked. */
import { request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { Target } from './target.ts'

export interface Asking {
  readonly method: string
  readonly path: string
  readonly body: unknown
  readonly signal: AbortSignal
}

const MAX_ANSWER_BYTES = 256 * 1024 * 1024

export function exchange(
  target: Target,
  { method, path, body, signal }: Asking,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      ...(sent !== undefined && { 'content-type': 'application/json' }),
      ...(target.token !== undefined && { authorization: `Bearer ${target.token}` }),
    }
    const fail = (error: unknown): void => reject(broken(target, error))
    const open = target.secure ? secureRequest : request
    const asked = open({ ...target.connect, agent: false, method, path, headers, signal }, (response) => {
      const parts: Buffer[] = []
      let bytes = 0
      response.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too long'))
        else parts.push(part)
      })
      response.once('error', fail)
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
      )
    })
    asked.once('error', fail)
    asked.end(sent)
  })
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

function broken({ name, connect }: Target, cause: unknown): unknown {
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
