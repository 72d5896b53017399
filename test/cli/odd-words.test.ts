/** What is typed wrongly is answered in the words of the command, and not of the API behind it; a word that names nothing is told as such. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tidepool } from '../support/command.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('odd words')

test('each is told in a line with what helps, and no request of HTTP is spoken of', () =>
  withDaemon(async ({ client, socket, daemon }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'home1' } })
    const here = daemon.engine.host.host
    for (const [words, code, told, hint] of [
      [
        ['host', 'dead', 'nowhere'],
        1,
        /no host of this store has the id or name "nowhere"/,
        /tidepool host ls/,
      ],
      [['host', 'dead', '../x'], 1, /no host of this store/, /tidepool host ls/],
      [['host', 'dead', here], 1, /does not look dead/, /5 minutes/],
      [
        ['token', 'create', '--name', 'a', '--role', 'king'],
        2,
        /read, operate, admin/,
        /token create --help/,
      ],
      [['evict', 'nobody'], 1, /there is no project nobody/, /stream ls/],
      [['save', 'nobody'], 1, /there is no project nobody/, /stream ls/],
      [['unpin', 'home1', '12'], 1, /no point 12/, /history home1/],
      [['rollback', 'home1', 'abc'], 2, /"abc" is no GUID/, /history home1/],
      [['open', 'BAD'], 2, /"BAD" is not a project id/, /lower-case/],
      [['close', 'home1', '--grace', 'soon'], 2, /"soon" is not a duration/, /90s/],
    ] as const) {
      const { code: ended, stderr, stdout } = await tidepool(['--socket', socket, ...words])
      const [first = '', second = '', ...more] = stderr.trimEnd().split('\n')
      assert.is(ended, code, `${words.join(' ')}: ${stderr}`)
      assert.match(first, told)
      assert.match(second, hint)
      assert.equal(more, [], words.join(' '))
      assert.not.match(stderr, /openapi|request|\bbody\b|path of/, words.join(' '))
      assert.is(stdout.length, 0)
    }
  }))

test.run()
