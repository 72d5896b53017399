/** Until when the certificates are good: the authority's that the store's are checked with, the nodes' own, and that of `listen`. */
import { X509Certificate } from 'node:crypto'
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { parseStoreUrl } from '../../../pipeline/stores/url.ts'
import type { Config } from '../../config/schema.ts'
import { type Check, type Finding, fail, ok, skipped, warn } from '../check.ts'
import { configOf, type World } from '../world.ts'

const DAY_MS = 24 * 60 * 60_000
const SOON_MS = 30 * DAY_MS

function judged(what: string, endMs: number, world: World): Finding {
  const date = new Date(endMs).toISOString().slice(0, 10)
  const leftMs = endMs - world.nowMs()
  const mend = `put a new certificate in its place (openssl x509 -noout -dates shows one's dates)`
  if (leftMs <= 0) return fail(`${what} has ended on ${date}`, mend)
  const days = Math.floor(leftMs / DAY_MS)
  return leftMs < SOON_MS
    ? warn(`${what} ends in ${days} days, on ${date}`, mend)
    : ok(`${what}: until ${date}`)
}

/** The earliest end of all that a file holds. */
async function endOfFile(file: string, world: World): Promise<number> {
  const text = (await world.read(file)) ?? ''
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0)
    throw new TidepoolError('no-certificate', `${file} holds no certificate`, {
      hint: 'Give a file in PEM.',
    })
  return Math.min(...blocks.map((block) => Date.parse(new X509Certificate(block).validTo)))
}

export const storeCertificates: Check = {
  name: 'certificates of the store',
  run: async (world, signal) => {
    const config = configOf(world)
    if (!config) return skipped('no configuration')
    const url = parseStoreUrl(config.store)
    if (url.kind === 'directory' || url.tlsCa === undefined)
      return skipped('the store is spoken to without TLS')
    const { tlsCa, contactPoints, port } = url
    const nodes = contactPoints.map(async (host) =>
      judged(`${host}:${port}`, await world.peerCertificateEndMs(host, port, signal), world),
    )
    return Promise.all([endOfFile(tlsCa, world).then((endMs) => judged(tlsCa, endMs, world)), ...nodes])
  },
}

export const ownCertificate: Check = {
  name: 'certificate of listen',
  run: async (world) => {
    const config = configOf(world)
    if (!config) return skipped('no configuration')
    const file = certificateFile(config)
    if (file === undefined) return skipped('the API is not served with TLS')
    return judged(file, await endOfFile(file, world), world)
  },
}

/** `listen.tls.cert`, where there is one. */
function certificateFile({ listen }: Config): string | undefined {
  return listen.tls?.cert
}
