/** A daemon of a test's own that listens on TCP too, with a certificate that a test can replace. */
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endpointFileOf } from '../../daemon/daemon.ts'
import { type DaemonSetting, withDaemon } from './daemon.ts'
import { ask } from './raw-http.ts'

export const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url))
export const ca = await readFile(fixture('ca.pem'), 'utf8')

export interface TlsSetting extends DaemonSetting {
  readonly port: () => Promise<number>
  readonly certificate: (name: string) => Promise<void>
  readonly token: (role: string, more?: object) => Promise<string>
  readonly asked: (
    method: string,
    path: string,
    token?: string,
    headers?: Record<string, string>,
  ) => ReturnType<typeof ask>
}

export async function withTls(body: (setting: TlsSetting) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tidepool-test-'))
  const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
  const certificate = async (name: string): Promise<void> => {
    await copyFile(fixture(`${name}.pem`), files.cert)
    await copyFile(fixture(`${name}.key`), files.key)
  }
  await certificate('server')
  try {
    await withDaemon(
      (setting) => {
        const port = async () =>
          Number(new URL(JSON.parse(await readFile(endpointFileOf(setting.config), 'utf8')).url).port)
        return body({
          ...setting,
          port,
          certificate,
          token: async (role, more) => {
            const made = { name: `${role}-token`, role, ...more }
            return (await setting.client.call<{ secret: string }>('POST', '/v1/tokens', { body: made }))
              .secret
          },
          asked: async (method, path, token, headers = {}) =>
            ask({ port: await port(), ca, method, path, headers, ...(token !== undefined && { token }) }),
        })
      },
      { config: [`listen: {port: 0, tls: {cert: ${files.cert}, key: ${files.key}}}`] },
    )
  } finally {
    await rm(directory, { recursive: true })
  }
}
