/** A certificate with its key, read and looked at before anything relies on it: what does not fit together must not replace what works. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { messageOf, TidepoolError } from '../../pipeline/base/errors.ts'

export interface Certificate {
  /** With those that lead to its authority, as they are sent. */
  readonly cert: string
  readonly key: string
  readonly endsAtMs: number
  /** Whether it is made for a name or an address. */
  isFor(host: string): boolean
}

/** Rejects with `bad-certificate`. */
export async function readCertificate(
  { cert: certFile, key: keyFile }: { readonly cert: string; readonly key: string },
  nowMs = Date.now(),
): Promise<Certificate> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')])
    const first = new X509Certificate(cert)
    if (!first.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is not the certificate’s')
    createSecureContext({ cert, key })
    const endsAtMs = Date.parse(first.validTo)
    if (endsAtMs <= nowMs) throw new Error(`it has ended at ${new Date(endsAtMs).toISOString()}`)
    const isFor = (host: string): boolean =>
      (isIP(host) === 0 ? first.checkHost(host) : first.checkIP(host)) !== undefined
    return { cert, key, endsAtMs, isFor }
  } catch (cause) {
    throw new TidepoolError(
      'bad-certificate',
      `the certificate ${certFile} with the key ${keyFile} can't be used: ${messageOf(cause)}`,
      { cause, hint: 'Both are PEM files; the first certificate is the server’s own, and fits the key.' },
    )
  }
}
