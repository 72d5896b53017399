import { type Client, errors } from 'cassandra-driver'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { codeOf, OutcomeUnknownError, StoreUnavailableError } from '../../../pipeline/base/errors.ts'
import { Session } from '../../../pipeline/stores/cassandra/session.ts'
import { all, rejection, same } from '../../contracts/values.ts'

const test = suite('cassandra: session')

/** A driver that answers when it is told to. */
function fakeDriver() {
  const asked: {
    query: unknown
    options: unknown
    resolve: (value: unknown) => void
    reject: (error: unknown) => void
  }[] = []
  let shutdowns = 0
  const ask = (query: unknown, options: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => asked.push({ query, options, resolve, reject }))
  const client = {
    execute: (query: string, _params: unknown, options: unknown) => ask(query, options),
    batch: (queries: unknown, options: unknown) => ask(queries, options),
    async shutdown() {
      shutdowns++
    },
  }
  return { client: client as unknown as Client, asked, shutdowns: () => shutdowns }
}

const STATEMENT = { query: 'UPDATE', params: [] }
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a read that is aborted rejects at once with the reason; what comes later is nobody’s', async () => {
  const { client, asked } = fakeDriver()
  const control = new AbortController()
  const reason = new Error('no more')
  const reads = [1, 2].map(() =>
    new Session(client).read('SELECT', [], {}, { what: 'read', signal: control.signal }),
  )
  await settle()
  control.abort(reason)
  for (const read of reads) assert.is(await rejection(read, 'the read'), reason)
  asked[0]?.resolve({ rows: [] })
  asked[1]?.reject(new Error('too late'))
  await settle()
})

test('a transaction that is aborted after it was sent has an unknown outcome, with the reason', async () => {
  const { client } = fakeDriver()
  const control = new AbortController()
  const reason = new Error('no more')
  const under = new Session(client).transact([STATEMENT], {}, { what: 'commit of w', signal: control.signal })
  await settle()
  control.abort(reason)
  const error = await rejection<OutcomeUnknownError>(under, 'the transaction')
  assert.instance(error, OutcomeUnknownError)
  assert.is(error.cause, reason)
  assert.match(error.message, 'commit of w')
})

test('a transaction that is aborted before is not sent', async () => {
  const { client, asked } = fakeDriver()
  const reason = new Error('no more')
  const call = { what: 'commit of w', signal: AbortSignal.abort(reason) }
  assert.is(await rejection(new Session(client).transact([STATEMENT], {}, call), 'the transaction'), reason)
  assert.is(asked.length, 0)
})

test('one statement goes as it is, several as a batch', async () => {
  const { client, asked } = fakeDriver()
  const session = new Session(client)
  const results = [1, 2].map((count) =>
    session.transact(
      Array.from({ length: count }, () => STATEMENT),
      {},
      { what: 'commit of w' },
    ),
  )
  await settle()
  same(
    asked.map(({ query }) => query),
    ['UPDATE', [STATEMENT, STATEMENT]],
  )
  asked[0]?.resolve({ wasApplied: () => true })
  asked[1]?.resolve({ wasApplied: () => false })
  same(await Promise.all(results), [true, false])
})

test('listeners are taken off a signal that never fires', async () => {
  const { client, asked } = fakeDriver()
  const control = new AbortController()
  let listeners = 0
  const { signal } = control
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--
    remove(...args)
  }
  const read = new Session(client).read('SELECT', [], {}, { what: 'read', signal })
  const failed = new Session(client).read('SELECT', [], {}, { what: 'read', signal })
  await settle()
  assert.is(listeners, 2)
  asked[0]?.resolve({})
  asked[1]?.reject(new errors.OperationTimedOutError('late'))
  await read
  assert.instance(await rejection(failed, 'the read'), StoreUnavailableError)
  assert.is(listeners, 0)
})

test('rows come page by page, and no page is asked for that nobody wants', async () => {
  const { client, asked } = fakeDriver()
  const rows = new Session(client).rows('SELECT', [], { fetchSize: 2 }, { what: 'list' })
  const first = rows.next()
  await settle()
  asked[0]?.resolve({ rows: [1, 2], pageState: 'next' })
  assert.is((await first).value, 1)
  assert.is((await rows.next()).value, 2)
  assert.is(asked.length, 1)
  const rest = all(rows)
  await settle()
  same(asked[1]?.options, { fetchSize: 2, pageState: 'next' })
  asked[1]?.resolve({ rows: [3], pageState: null })
  same(await rest, [3])
})

test('a closed session ends what is under way, and begins nothing', async () => {
  const { client, asked, shutdowns } = fakeDriver()
  const session = new Session(client)
  const read = session.read('SELECT', [], {}, { what: 'read' })
  const transaction = session.transact([STATEMENT], {}, { what: 'commit' })
  await settle()
  const errorOf = [
    rejection(read, 'the read'),
    rejection<OutcomeUnknownError>(transaction, 'the transaction'),
  ] as const
  await session.close()
  await session.close()
  assert.ok(shutdowns() >= 1)
  assert.is(codeOf(await errorOf[0]), 'store-closed')
  const unknown = await errorOf[1]
  assert.instance(unknown, OutcomeUnknownError)
  assert.is(codeOf(unknown.cause), 'store-closed')
  assert.is(
    codeOf(await rejection(session.read('SELECT', [], {}, { what: 'read' }), 'the read')),
    'store-closed',
  )
  assert.is(asked.length, 2)
})

test.run()
