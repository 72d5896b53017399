import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withDaemon } from '../support/daemon.ts'

const test = suite('what is not saved yet')

test('what is not saved yet is counted', () =>
  withDaemon(async ({ client }) => {
    interface Unsaved {
      readonly unsaved: { readonly count: number; readonly bytes: string | null; readonly oldestMs: number }
    }
    const unsaved = async () => (await client.call<Unsaved>('GET', '/v1/status')).unsaved
    assert.equal(await unsaved(), { count: 0, bytes: '0', oldestMs: 0 })
    const { realPath } = await client.call<{ realPath: string }>('POST', '/v1/projects', {
      body: { id: 'p' },
    })
    await writeFile(join(realPath, 'file'), 'x'.repeat(100_000))
    const dirty = await unsaved()
    assert.is(dirty.count, 1)
    assert.ok(Number(dirty.bytes) > 0 && dirty.oldestMs > 0, JSON.stringify(dirty))
    await client.call('POST', '/v1/projects/p/save')
    assert.equal(await unsaved(), { count: 0, bytes: '0', oldestMs: 0 })
  }))

test('what only a snapshot of this pool has is not saved, though ZFS counts nothing of it', () =>
  withDaemon(async ({ client }) => {
    const count = async () =>
      (await client.call<{ unsaved: { count: number } }>('GET', '/v1/status')).unsaved.count
    const { realPath } = await client.call<{ realPath: string }>('POST', '/v1/projects', {
      body: { id: 'p' },
    })
    await writeFile(join(realPath, 'file'), 'x'.repeat(100_000))
    await client.call('POST', '/v1/projects/p/snapshot', { body: { local: true } })
    assert.is(await count(), 1)
    await client.call('POST', '/v1/projects/p/save')
    assert.is(await count(), 0)
  }))

test.run()
