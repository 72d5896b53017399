/**
 * Neither the daemon nor any process of its own ever looks into the root of links: whoever serves that may hang, and who waits in it is
 * beyond SIGKILL. Shown by a root in which every look hangs, while the daemon does all that it can do.
 */
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { walk } from '../support/fuse.ts'
import { withHosts } from '../support/hosts.ts'
import { ask } from '../support/raw-http.ts'
import { PLAIN } from '../support/tree-changes.ts'

const test = suite('access: our own root')

/** A project's end waits at most for what the access process knows to be too old, whatever that does. */
const VERB_LIMIT_MS = 60_000

async function done<T>(what: string, doing: Promise<T>): Promise<T> {
  const late = new AbortController()
  const limit = sleep(VERB_LIMIT_MS, undefined, { signal: late.signal }).then(
    () => Promise.reject(new Error(`${what} hangs`)),
    () => doing,
  )
  try {
    return await Promise.race([doing, limit])
  } finally {
    late.abort()
  }
}

test('while every look into it hangs the daemon does all that it is asked, stops, and starts again', () =>
  withHosts(async ([host]) => {
    if (!host) throw new Error('there is no host')
    const first = await host.daemon()
    const access = await host.access()
    await host.create('p1', PLAIN)
    const wrote = await walk(`echo one > ${host.root}/p1/file`, { plain: true })
    assert.is(wrote.code, 0, wrote.stderr)
    access.child.kill('SIGSTOP')
    try {
      const hangs = walk(`ls ${host.root}/p1/`, { limitMs: 600_000 })
      const get = (path: string) => host.client.call<{ points: { point: string }[] }>('GET', path)
      for (const verb of ['save', 'snapshot', 'close', 'open', 'evict', 'open'])
        await done(verb, host.ask('p1', verb, verb === 'snapshot' ? {} : undefined))
      await done('create', host.create('p2', PLAIN))
      await done('destroy', host.ask('p2', 'destroy'))
      const { points } = await done('history', get('/v1/projects/p1/history'))
      const [{ point } = { point: '' }] = points
      await done('restore', host.ask('p1', 'restore', { point }))
      const socketPath = join(dirname(host.root), 'run', 'tidepool.sock')
      const looks = ['status', 'look', 'metrics', 'projects/p1/why', 'projects/p1/holders'].map(
        (one) => `/v1/${one}`,
      )
      for (const path of looks)
        assert.is((await done(path, ask({ socketPath, method: 'GET', path }))).status, 200, path)
      const ended = once(first.child, 'exit')
      first.child.kill('SIGTERM')
      await done('the end', ended)
      assert.is(first.child.exitCode, 0)
      await done('the next start', host.daemon())
      assert.equal(await host.mounted(), ['p1', `restored.p1.${point}`])
      access.child.kill('SIGCONT')
      assert.is((await hangs).code, 0, 'it only waited')
    } finally {
      access.child.kill('SIGCONT')
    }
  }))

test.run()
