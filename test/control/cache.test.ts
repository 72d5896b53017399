import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readConfig } from '../../daemon/config/read.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('the stream cache of a daemon')

test('what was received once is kept where the configuration says, and bounded', () =>
  withDaemon(async ({ daemon, client, configFile, fake, startWith }) => {
    await client.call('POST', '/v1/projects', { body: { id: 'p' } })
    assert.is((await client.call('GET', '/v1/status')).cache, null)
    await daemon.stop()
    const directory = join(fake.directory, 'cache')
    await appendFile(configFile, `\ncache: {directory: ${directory}, maxBytes: 1M}\n`)
    const next = await startWith(await readConfig(configFile))
    try {
      const { realPath } = await client.call<{ realPath: string }>('POST', '/v1/projects/p/open')
      await writeFile(join(realPath, 'file'), 'kept')
      await client.call('POST', '/v1/projects/p/evict')
      await client.call('POST', '/v1/projects/p/open')
      assert.is(await readFile(join(realPath, 'file'), 'utf8'), 'kept')
      const { cache } = await client.call<{ cache: { streams: number; maxBytes: number } }>(
        'GET',
        '/v1/status',
      )
      assert.ok(cache.streams > 0)
      assert.is(cache.maxBytes, 2 ** 20)
      assert.is((await readdir(directory)).length, cache.streams)
    } finally {
      await next.stop()
    }
  }))

test.run()
