/** What a signal does to a daemon shows only in a process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Client } from '../../daemon/client/client.ts'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { tidepool } from '../support/command.ts'
import { within } from '../support/within.ts'
import { withPool } from '../support/zfs-pool.ts'

const test = suite('signals to the daemon')

const COMMAND = fileURLToPath(new URL('../../bin/tidepool', import.meta.url))

test('SIGHUP has it read its file again and ends nothing; SIGTERM ends it and leaves what is mounted', () =>
  withPool(async (world) => {
    const at = (name: string): string => join(world.directory, name)
    const file = at('tidepool.yaml')
    const text = [
      `store: dir:${at('store')}`,
      `dataset: ${world.parent}`,
      `access: ${at('projects')}`,
      `mounts: ${join(world.mounts, 'real')}`,
      `state: ${at('state')}`,
      `run: ${at('run')}`,
    ].join('\n')
    await writeFile(file, text)
    assert.is((await tidepool(['--store', `dir:${at('store')}`, 'store', 'init'])).code, 0)
    const daemon = spawn(process.execPath, [COMMAND, 'daemon', '--config', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    daemon.stderr.on('data', (part: Buffer) => {
      said += part.toString()
    })
    const ended = once(daemon, 'exit')
    try {
      await within(60_000, () => said.includes('serving'))
      const client = new Client({ socket: join(at('run'), 'tidepool.sock') })
      const { realPath } = await client.call<{ realPath: string }>('POST', '/v1/projects', {
        body: { id: 'p' },
      })
      await writeFile(file, `${text}\nsave: {interval: never}\n`)
      daemon.kill('SIGHUP')
      await within(30_000, () => said.includes('configuration: all stays as it was'))
      assert.match(said, 'line 7: save.interval')
      assert.equal(await client.call('GET', '/v1/ready'), { ready: true })
      daemon.kill('SIGTERM')
      assert.equal((await ended)[0], 0)
      assert.ok((await readMounts()).some(({ mountPoint }) => mountPoint === realPath))
    } finally {
      daemon.kill('SIGKILL')
      await ended
    }
  }))

test.run()
