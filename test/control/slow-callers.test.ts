import { connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withTls } from '../support/tls-daemon.ts'

// A file of its own: it waits ten seconds for a limit to pass, in which others can run.
const test = suite('callers who are slow, or say too much')

test('a connection that sends slowly, or too much before a request is whole, is ended', () =>
  withTls(async ({ port, socket }) => {
    assert.match(
      await raw({ path: socket }, `GET /v1/ready HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(20_000)}\r\n\r\n`),
      /^HTTP\/1.1 431/,
    )
    const [slow, mute] = await Promise.all([
      raw({ path: socket }, 'GET /v1/ready HTTP/1.1\r\nhost: x\r\n'),
      // It never begins to speak TLS.
      raw({ host: '127.0.0.1', port: await port() }, ''),
    ])
    assert.match(slow, /^HTTP\/1.1 408/)
    assert.is(mute, '')
  }))

/** What comes back until the other side ends it. */
function raw(where: { path: string } | { host: string; port: number }, text: string): Promise<string> {
  return new Promise((resolve) => {
    let got = ''
    const socket = connect(where as { path: string }, () => socket.write(text))
    socket.on('data', (part) => {
      got += part
    })
    socket.on('error', () => {})
    socket.once('close', () => resolve(got))
  })
}

test.run()
