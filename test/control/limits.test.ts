/** What one request may take, and whose a project is that cannot be had here: as a program sees it. */
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { rootGuard } from '../../daemon/control/guards.ts'
import { nothing, route } from '../../daemon/control/route.ts'
import { server } from '../../daemon/control/server.ts'
import { silent } from '../../daemon/log/log.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { openedInMemory, withDaemon } from '../support/daemon.ts'
import { ask } from '../support/raw-http.ts'

const test = suite('the limits of a request')

test('one that has no end is ended at its limit, and what it does is told to end', () =>
  withDaemon(async ({ daemon }) => {
    const socketPath = join(tmpdir(), `tidepool-limits-${process.pid}.sock`)
    let ended: unknown
    const endless = route({
      method: 'GET',
      path: '/v1/endless',
      about: 'It waits until it is told to end',
      needs: 'read',
      params: z.object({}),
      body: nothing,
      run: ({ signal }) =>
        new Promise<object>((_, reject) => {
          signal.addEventListener('abort', () => {
            ended = signal.reason
            reject(signal.reason)
          })
        }),
    })
    const app = server(daemon, {
      listener: 'root',
      routes: [endless],
      guard: rootGuard,
      refused: () => {},
      log: silent,
      connections: { atOnce: 10 },
      limitMs: 100,
    })
    try {
      await app.listen({ path: socketPath })
      const { status, json } = await ask({ socketPath, method: 'GET', path: '/v1/endless' })
      assert.is(status, 504)
      assert.match(JSON.stringify(json), /"request-timeout".*no end within 0.1 s/)
      assert.match(String(ended), /no end within/)
    } finally {
      await app.close()
      await rm(socketPath, { force: true })
    }
  }))

test('a project that another host has is a 409 with the host that has it', () => {
  const store = memoryStore()
  const openStore = () => openedInMemory(store)
  return withDaemon(
    ({ client, daemon: owner }) =>
      withDaemon(
        async ({ socket }) => {
          await client.call('POST', '/v1/projects', { body: { id: 'p' } })
          for (const verb of ['open', 'destroy', 'rollback', 'quota']) {
            const method = verb === 'quota' ? 'PUT' : 'POST'
            const body = { rollback: '{"point":"1"}', quota: '{"quotaBytes":"30000000"}' }[verb]
            const headers = { 'content-type': 'application/json' }
            const path = `/v1/projects/p/${verb}`
            const { status, json } = await ask({
              socketPath: socket,
              method,
              path,
              headers,
              ...(body && { body }),
            })
            const { code, message, hint, facts } = json.error as Record<string, string>
            assert.equal([status, code], [409, 'owned-elsewhere'], `${verb}: ${message}`)
            assert.match(JSON.stringify(facts), `"owner":"${owner.engine.host.host}"`, verb)
            assert.match(String(message), 'first-host', verb)
            assert.ok(hint, verb)
          }
        },
        { openStore, config: ['name: second-host'] },
      ),
    { openStore, config: ['name: first-host'] },
  )
})

test.run()
