/** One request and its whole answer. */
import { type IncomingHttpHeaders, request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { broken } from './errors.ts'
import type { Target } from './target.ts'

export interface Asking {
  readonly method: string
  readonly path: string
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

const MAX_ANSWER_BYTES = 256 * 1024 * 1024

export function exchange(
  target: Target,
  { method, path, body, headers: more, signal }: Asking,
): Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      ...more,
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
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(parts).toString(),
        }),
      )
    })
    asked.once('error', fail)
    asked.end(sent)
  })
}
