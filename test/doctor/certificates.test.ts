/** Until when certificates are good, as the checks of doctor tell it. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ownCertificate, storeCertificates } from '../../daemon/doctor/checks/certificates.ts'
import { examine } from '../../daemon/doctor/examine.ts'
import type { World } from '../../daemon/doctor/world.ts'
import { config, wellWorld } from '../support/doctor-world.ts'

const test = suite('the certificates that doctor looks at')
const { signal } = new AbortController()
const DAY_MS = 24 * 60 * 60_000
const END_MS = Date.UTC(2027, 0, 26, 20, 17, 37)

/** Ends on 2027-01-26; its key was thrown away. */
const PEM = `-----BEGIN CERTIFICATE-----
MIIBhTCCASugAwIBAgIUFHoK/ZmM9Tt/EoQCR7GURHLNi6IwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNdGlkZXBvb2wtdGVzdDAeFw0yNjExMjcyMDE3MzdaFw0yNzAx
MjYyMDE3MzdaMBgxFjAUBgNVBAMMDXRpZGVwb29sLXRlc3QwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQQ9T9im01hIqhZPQz9FbqUeN7PgQwGzEuqnCk4EQLx+KUz
NY0qF4981w33MLr1r9JD1NrOe7mRLnnQmLWjcJLno1MwUTAdBgNVHQ4EFgQUQ7+N
DXJQMbr1q/wXtsqp//m/jCowHwYDVR0jBBgwFoAUQ7+NDXJQMbr1q/wXtsqp//m/
jCowDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAKGnC3OjRdTSJm
RaiNs8bGP54GG8/185RM14C95zGK3AIhAKsSTXGqcyNV8QR6/zXRDk/LUxE++d1D
lnhH8xpl27tg
-----END CERTIFICATE-----`

const tls = (days: number, peerDays: number, pem: string | undefined = PEM): World =>
  wellWorld({
    config: { ...config(), store: 'cassandra://node1,node2/k?dc=dc1&tls=/etc/ca.pem' },
    files: { '/etc/ca.pem': pem },
    nowMs: () => END_MS - days * DAY_MS,
    peerCertificateEndMs: async () => END_MS - (days - peerDays) * DAY_MS,
  })

test('the authority and each node have a line; what ends soon or has ended is told', async () => {
  const verdicts = async (world: World) =>
    (await examine(world, [storeCertificates], { signal })).map(({ verdict }) => verdict)
  assert.equal(await verdicts(tls(90, 90)), ['ok', 'ok', 'ok'])
  assert.equal(await verdicts(tls(20, 90)), ['warn', 'ok', 'ok'])
  assert.equal(await verdicts(tls(90, -1)), ['ok', 'fail', 'fail'])
  const [line] = await examine(tls(20, 90), [storeCertificates], { signal })
  assert.match(line?.found ?? '', /\/etc\/ca.pem ends in 20 days, on 2027-01-26/)
})

test('a file without a certificate is refused, a store without TLS passed over', async () => {
  const [line] = await examine(tls(90, 90, 'nothing'), [storeCertificates], { signal })
  assert.is(line?.verdict, 'fail')
  assert.match(line?.found ?? '', /holds no certificate/)
  assert.is((await examine(wellWorld(), [storeCertificates], { signal }))[0]?.verdict, 'skipped')
})

test('the certificate that the API is served with', async () => {
  const listen = { listen: { address: '0.0.0.0', tls: { cert: '/etc/own.pem', key: '/etc/own.key' } } }
  const world = wellWorld({
    config: { ...config(), ...listen },
    files: { '/etc/own.pem': PEM },
    nowMs: () => END_MS + DAY_MS,
  })
  const [line] = await examine(world, [ownCertificate], { signal })
  assert.is(line?.verdict, 'fail')
  assert.match(line?.found ?? '', /has ended on 2027-01-26/)
  assert.is((await examine(wellWorld(), [ownCertificate], { signal }))[0]?.verdict, 'skipped')
})

test.run()
