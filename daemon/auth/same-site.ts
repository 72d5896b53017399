/**
 * Against pages of other sites: a name that was made to lead here (DNS rebinding) is none of ours, and a browser that asks for another
 * site's page says so. There is no CORS: nothing of ours is for them.
 */
import { hostname } from 'node:os'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Asked } from './caller.ts'
import type { Certificate } from './certificate.ts'

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/

export const isLoopback = (address: string): boolean => LOOPBACK.test(address)

/** Rejects with `host-refused`. */
export function checkSameSite(
  { headers, localAddress = '' }: Pick<Asked, 'headers' | 'localAddress'>,
  certificate: Certificate | undefined,
): void {
  const host = String(headers.host ?? '')
  const name = nameIn(host)
  const isOurs =
    name !== undefined &&
    (name === localAddress.replace(/^::ffff:/, '') ||
      name === hostname().toLowerCase() ||
      (name === 'localhost' && isLoopback(localAddress)) ||
      certificate?.isFor(name) === true)
  if (!isOurs) throw refused(`${JSON.stringify(host.slice(0, 100))} is no name of this host`)
  const { origin, 'sec-fetch-site': site } = headers
  const own = `${certificate ? 'https' : 'http'}://${host}`
  if (origin !== undefined && String(origin).toLowerCase() !== own.toLowerCase())
    throw refused('a page of another site has asked')
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw refused('a page of another site has asked')
}

/** Without the port and the brackets of IPv6; undefined where it is no host at all. */
function nameIn(host: string): string | undefined {
  const [, six, other] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host) ?? []
  return (six ?? other)?.toLowerCase()
}

const refused = (why: string): TidepoolError =>
  new TidepoolError('host-refused', why, {
    hint: 'Ask by the address, by the machine’s name, or by a name in its certificate.',
  })
