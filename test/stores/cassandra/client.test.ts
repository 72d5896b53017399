import { errors, types } from 'cassandra-driver'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { connect, connectError } from '../../../pipeline/stores/cassandra/client.ts'
import { rejection } from '../../contracts/values.ts'

const test = suite('cassandra: client')
const options = { contactPoints: ['db1', 'db2'], port: 9042, localDc: 'dc1', user: 'saver' }

const from = (inner: unknown): TidepoolError =>
  connectError(
    new errors.NoHostAvailableError({ '10.0.0.1:9042': inner as Error }),
    options,
    'dc1',
  ) as TidepoolError

const CASES: Record<string, [unknown, string]> = {
  'a wrong password': [
    new errors.AuthenticationError('Provided username saver and/or password are incorrect'),
    'credentials-refused',
  ],
  'a wrong password, as an answer': [
    new errors.ResponseError(types.responseErrorCodes.badCredentials, 'no'),
    'credentials-refused',
  ],
  'a data centre that is not there': [
    new errors.ArgumentError(
      "localDataCenter was configured as 'dc1', but only found hosts in data centers: [dc2]",
    ),
    'unknown-dc',
  ],
  'a certificate of a stranger': [
    Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
    'tls-failed',
  ],
  'a certificate for another address': [
    Object.assign(new Error('altnames'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }),
    'tls-failed',
  ],
  'a node that speaks no TLS': [
    Object.assign(new Error('wrong version number'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }),
    'tls-failed',
  ],
  'a closed port': [
    Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
    'store-unavailable',
  ],
  'a node that is silent': [new errors.OperationTimedOutError('The host did not reply'), 'store-unavailable'],
}

for (const [name, [inner, code]] of Object.entries(CASES))
  test(`${name} has its own error, that names where and what to do`, () => {
    const error = from(inner)
    assert.is(error.code, code)
    assert.match(error.message, 'db1,db2:9042')
    assert.ok(error.hint)
    assert.is(error.temporary, code === 'store-unavailable')
  })

test('certificates that cannot be read are said to be so, before anything is connected', async () => {
  const error = await rejection<TidepoolError>(
    connect({ ...options, tlsCa: '/nowhere/ca.pem' }, 'dc1'),
    'the connecting',
  )
  assert.instance(error, TidepoolError)
  assert.is(error.code, 'tls-ca-unreadable')
  assert.match(error.message, '/nowhere/ca.pem')
})

test('an abort is not waited for', async () => {
  const reason = new Error('no more')
  const connecting = connect(
    { contactPoints: ['192.0.2.1'], localDc: 'dc1' },
    'dc1',
    AbortSignal.abort(reason),
  )
  assert.is(await rejection(connecting, 'the connecting'), reason)
})

test.run()
