/** What `history` and `status ID` tell of sizes and hosts. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { usageOf } from '../../daemon/projects/usage.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { tidepool } from '../support/command.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('sizes and hosts of a project')
const P = projectId('p1')

test('each point with its size and the host that made it; the project with what it takes here and in the store', () =>
  withDaemon(
    async ({ daemon: { engine }, socket, client }) => {
      const run = async (...args: string[]) =>
        (await tidepool(['--socket', socket, ...args])).stdout.toString()
      const { path } = await engine.create(P)
      assert.match(await run('status', P), /takes +0 B in the store\n/)
      for (const text of ['one', 'two, which is more']) {
        await writeFile(join(path, 'file'), text)
        await engine.save(P)
      }
      const [title = '', ...lines] = (await run('history', P)).trimEnd().split('\n')
      assert.match(title, /^ *POINT +TIME +SIZE +HOST +TO RECEIVE +STREAMS +KEPT AS$/)
      assert.is(lines.length, 2)
      for (const line of lines) assert.match(line, / \d+ B +reef +[\d.]+ (B|KiB) +\d +(head|latest)$/)
      const project = await engine.host.store.catalogue.read(P)
      assert.ok(project)
      const usage = usageOf(project)
      const streams = [...project.rows.values()].map(({ manifest }) => manifest?.bytes ?? 0n)
      assert.is(
        usage.storeBytes,
        streams.reduce((sum, bytes) => sum + bytes, 0n),
      )
      assert.ok(usage.storeBytes > 0n && usage.referencedBytes !== undefined)
      assert.match(await run('status', P), /takes +\d+ B, \d+ B with its snapshots, .* in the store\n/)
      const told = await client.call<{ usage: { storeBytes: string } }>('GET', `/v1/projects/${P}`)
      assert.is(told.usage.storeBytes, String(usage.storeBytes))
    },
    { config: ['name: reef'] },
  ))

test.run()
