import { errors, types } from 'cassandra-driver'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OutcomeUnknownError, StoreUnavailableError, TidepoolError } from '../../../pipeline/base/errors.ts'
import { type Attempt, reasonOf, storeError } from '../../../pipeline/stores/cassandra/errors.ts'

const test = suite('cassandra: errors')
const { responseErrorCodes: codes, consistencies } = types

const response = (code: number, detail: object = {}, message = 'no'): Error =>
  Object.assign(new errors.ResponseError(code, message), detail)
const socket = (detail: object = {}): Error =>
  Object.assign(new Error('gone'), { isSocketError: true, ...detail })
const noHost = (inner: Record<string, unknown> | null): Error =>
  new errors.NoHostAvailableError(inner as Record<string, Error>)
const busy = (): Error => new errors.BusyConnectionError('127.0.0.1:9042', 1024, 2)

const UNKNOWN: Record<string, Error> = {
  'a write timeout of the vote': response(codes.writeTimeout, { writeType: 'CAS' }),
  'a write timeout of the last step': response(codes.writeTimeout, { writeType: 'SIMPLE' }),
  'what a newer protocol calls it': response(0x1700),
  'no room for a log of changes': response(0x1600),
  'a code of the future': response(0x1900),
  'a write failure': response(codes.writeFailure),
  'a read timeout': response(codes.readTimeout),
  'a read failure': response(codes.readFailure),
  "a node's own failure": response(codes.serverError),
  'an answer that did not come': new errors.OperationTimedOutError('too late'),
  'a connection that broke': socket(),
  'too few nodes for the last step': response(codes.unavailableException, {
    consistencies: consistencies.localQuorum,
  }),
  'too few nodes at no level that is told': response(codes.unavailableException),
  'too many hints in the last step': response(codes.overloaded, {}, 'Too many in flight hints: 1024'),
  'no host any more after one broke': noHost({ '127.0.0.1:9042': socket() }),
  'no host any more after one was silent': noHost({
    '127.0.0.1:9042': new errors.OperationTimedOutError('late'),
  }),
  'no host any more after a connection was taken': noHost({ '127.0.0.1:9042': null }),
  'something nobody has heard of': new Error('what?'),
}

const NOTHING_HAPPENED: Record<string, Error> = {
  'too few nodes for the vote': response(codes.unavailableException, {
    consistencies: consistencies.localSerial,
  }),
  'too few nodes for the vote of all': response(codes.unavailableException, {
    consistencies: consistencies.serial,
  }),
  'a node that has too much to do': response(codes.overloaded, {}, 'Server is in overloaded state'),
  'a node that is starting': response(codes.isBootstrapping),
  'busy connections': busy(),
  'no host at all': noHost({}),
  'a client that is shut down': noHost(null),
  'hosts that are down, without a connection, or busy': noHost({
    a: 'Host considered as DOWN',
    b: new Error('No connection available'),
    c: busy(),
  }),
  'a connection that broke before': noHost({ a: socket({ requestNotWritten: true }) }),
}

const PERMANENT: Record<string, [Error, string]> = {
  'a statement that makes no sense': [response(codes.syntaxError), 'store-refused'],
  'a table that is not there': [response(codes.invalid), 'store-refused'],
  'a user who may not': [response(codes.unauthorized), 'store-forbidden'],
  'a value that does not fit': [new TypeError('Not a valid bigint'), 'store-refused'],
}

for (const [name, error] of Object.entries(UNKNOWN))
  test(`${name}: a transaction may have happened, anything else may be tried again`, () => {
    const unknown = storeError(error, 'commit of w', 'transaction')
    assert.instance(unknown, OutcomeUnknownError)
    assert.is(unknown.cause, error)
    for (const attempt of ['read', 'write'] as const) {
      const again = storeError(error, 'put of chunk 1', attempt)
      assert.instance(again, StoreUnavailableError)
      assert.match(again.message, 'put of chunk 1: ')
      assert.is(again.cause, error)
    }
  })

for (const [name, error] of Object.entries(NOTHING_HAPPENED))
  test(`${name}: nothing happened, and all may be tried again`, () => {
    for (const attempt of ['transaction', 'read', 'write'] as const)
      assert.instance(storeError(error, 'commit of w', attempt), StoreUnavailableError)
  })

for (const [name, [error, code]] of Object.entries(PERMANENT))
  test(`${name}: no repeat helps`, () => {
    for (const attempt of ['transaction', 'read', 'write'] satisfies Attempt[]) {
      const refused = storeError(error, 'commit of w', attempt) as TidepoolError
      assert.is(refused.code, code)
      assert.not(refused.temporary)
      assert.ok(refused.hint)
    }
  })

test('only what less at once would help is called overload', () => {
  const overloaded = (error: Error): boolean =>
    (storeError(error, 'put', 'write') as StoreUnavailableError).overloaded
  for (const error of [
    busy(),
    noHost({ a: busy() }),
    new errors.OperationTimedOutError('late'),
    response(codes.overloaded),
    response(codes.writeTimeout),
    response(codes.readTimeout),
    response(codes.unavailableException),
  ])
    assert.ok(overloaded(error), error.message)
  for (const error of [noHost({}), socket(), response(codes.isBootstrapping), response(codes.serverError)])
    assert.not(overloaded(error), error.message)
})

test('errors of ours pass as they are', () => {
  const ours = new TidepoolError('manifest-newer', 'newer')
  assert.is(storeError(ours, 'read of project p', 'read'), ours)
})

test('a reason is one line, and the innermost', () => {
  const stack = `${new Error('refused').stack}`
  assert.is(
    reasonOf(noHost({ '10.0.0.1:9042': new Error(`connect ECONNREFUSED\n${stack}`) })),
    '10.0.0.1:9042: connect ECONNREFUSED',
  )
  assert.is(reasonOf(noHost({ '10.0.0.1:9042': null })), '10.0.0.1:9042: no answer')
  assert.is(reasonOf(noHost({})), 'no node is reachable')
  assert.is(reasonOf('text'), 'text')
})

test.run()
