import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { formatStoreUrl, parseStoreUrl } from '../../pipeline/stores/url.ts'

const test = suite('store URLs')

test('a directory is an absolute or a relative path, taken as it is written', () => {
  assert.equal(parseStoreUrl('dir:/srv/a b?c'), { kind: 'directory', path: '/srv/a b?c' })
  assert.equal(parseStoreUrl('dir:///srv/x'), { kind: 'directory', path: '/srv/x' })
  assert.equal(parseStoreUrl('dir:here/x', '/home/me'), { kind: 'directory', path: '/home/me/here/x' })
})

test('the least that a Cassandra store needs', () => {
  assert.equal(parseStoreUrl('cassandra://h1/keys?dc=dc1'), {
    kind: 'cassandra',
    contactPoints: ['h1'],
    port: 9042,
    keyspace: 'keys',
    localDc: 'dc1',
  })
})

test('everything that a Cassandra store may have', () => {
  const url =
    'cassandra://h1,10.0.0.2,[::1]:9999/k_1?dc=dc1&rf=dc1:3,dc2:2&mode=home:dc1&tls=/etc/ca.pem&user=me'
  assert.equal(parseStoreUrl(url), {
    kind: 'cassandra',
    contactPoints: ['h1', '10.0.0.2', '::1'],
    port: 9999,
    keyspace: 'k_1',
    localDc: 'dc1',
    replication: { dc1: 3, dc2: 2 },
    mode: 'home:dc1',
    tlsCa: '/etc/ca.pem',
    user: 'me',
  })
})

const wrong: [url: string, message: RegExp][] = [
  ['', /is empty/],
  ['/srv/x', /has no scheme/],
  ['s3://bucket', /no kind of store called "s3"/],
  ['dir:', /followed by no path/],
  ['dir://host/path', /names no host/],
  ['cassandra:h/k?dc=d', /not followed by \/\//],
  ['cassandra:///k?dc=d', /names no host/],
  ['cassandra://h,/k?dc=d', /"" is no host/],
  ['cassandra://h:x/k?dc=d', /"h:x" is no host/],
  ['cassandra://h:70000/k?dc=d', /70000 is no port/],
  ['cassandra://h:1,i:2/k?dc=d', /ports 1 and 2/],
  ['cassandra://h?dc=d', /names no keyspace/],
  ['cassandra://h/?dc=d', /names no keyspace/],
  ['cassandra://h/a-b?dc=d', /"a-b" is no name of a keyspace/],
  ['cassandra://h/k', /which data centre/],
  ['cassandra://h/k?dc=', /dc= in the store URL has no value/],
  ['cassandra://h/k?dc=a b', /"a b" is no name of a data centre/],
  ['cassandra://h/k?dc=a&dc=b', /dc= twice/],
  ['cassandra://h/k?dc=d&rf=3', /how many copies/],
  ['cassandra://h/k?dc=d&rf=d:0', /how many copies/],
  ['cassandra://h/k?dc=d&rf=d:1,d:2', /names d twice/],
  ['cassandra://h/k?dc=d&mode=local', /mode=local is no transaction mode/],
  ['cassandra://h/k?dc=d&mode=home:', /"" is no name of a data centre/],
  ['cassandra://h/k?dc=d&timeout=3', /no option "timeout"/],
  ['cassandra://me@h/k?dc=d', /user or password before its hosts/],
]

for (const [url, message] of wrong)
  test(`${JSON.stringify(url)} is refused with what is wrong in it and what to do`, () => {
    assert.throws(
      () => parseStoreUrl(url),
      (error: unknown) =>
        error instanceof TidepoolError &&
        error.code === 'bad-store-url' &&
        message.test(error.message) &&
        error.hint !== undefined,
    )
  })

for (const url of ['cassandra://me:s3cret@h/k?dc=d', 'cassandra://h/k?dc=d&user=me&password=s3cret'])
  test(`a password in the URL is refused and not repeated: ${url.replace('s3cret', '…')}`, () => {
    assert.throws(
      () => parseStoreUrl(url),
      (error: unknown) =>
        error instanceof TidepoolError &&
        /TIDEPOOL_CASSANDRA_PASSWORD_FILE/.test(error.hint ?? '') &&
        !`${error.message} ${error.hint}`.includes('s3cret'),
    )
  })

test('a URL is printed as it can be read again', () => {
  for (const url of ['dir:/srv/x', 'cassandra://a,[::1]:9042/k?dc=d&tls=%2Fca.pem&user=m%26'])
    assert.equal(formatStoreUrl(parseStoreUrl(url)), url)
})

test.run()
