/** One request of a test's own making, whatever it looks like. */
import { type IncomingHttpHeaders, request } from 'node:http'
import { request as secureRequest } from 'node:https'

export interface Ask {
  readonly socketPath?: string
  /** On 127.0.0.1. */
  readonly port?: number
  /** Given, TLS is spoken, and only what it has signed is believed. */
  readonly ca?: string
  readonly method: string
  readonly path: string
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly json: Record<string, unknown>
}

export function ask({ socketPath, port, ca, method, path, token, headers = {}, body }: Ask): Promise<Answer> {
  const where = socketPath === undefined ? { host: '127.0.0.1', port } : { socketPath }
  const options = {
    ...where,
    // Whatever name the headers have, the certificate is for this one.
    ...(ca !== undefined && { ca, servername: 'localhost' }),
    method,
    path,
    agent: false as const,
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
  }
  return new Promise((resolve, reject) => {
    const asked = (ca === undefined ? request : secureRequest)(options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          json: text.startsWith('{') ? JSON.parse(text) : {},
        }),
      )
    })
    asked.once('error', reject)
    asked.end(body)
  })
}
