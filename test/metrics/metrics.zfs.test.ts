/** What only a real pool moves. */
import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/fuse.ts'
import { withRealDaemon } from '../support/real-daemon.ts'

const test = suite('metrics of a real pool')

const MIB = 2 ** 20

test('the space of the pool and of the project that is not saved move with what is written', () =>
  withRealDaemon(
    async ({ daemon, run }) => {
      const value = async (series: string): Promise<number> => {
        const text = await daemon.metrics.text(daemon)
        const line = text.split('\n').find((one) => one.startsWith(`tidepool_${series} `))
        return Number(line?.split(' ').at(-1))
      }
      const created = await run('--json', 'create', 'a')
      assert.is(created.code, 0, created.stderr)
      const [{ realPath }] = created.json as [{ realPath: string }]
      const usedBytes = await value('pool_bytes{state="used"}')
      const freeBytes = await value('pool_bytes{state="available"}')
      const file = await open(join(realPath, 'file'), 'w')
      await file.write(randomBytes(8 * MIB))
      await file.sync()
      await file.close()
      // ZFS counts it once its transaction group is on the disk, for which a change of a property waits.
      assert.is((await run('quota', 'a', '1G')).code, 0)
      await eventually(
        'it is counted',
        30_000,
        async () => (await value('pool_bytes{state="used"}')) > usedBytes + 7 * MIB,
      )
      assert.ok((await value('pool_bytes{state="available"}')) < freeBytes - 7 * MIB)
      assert.is(await value('unsaved_projects'), 1)
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.ok((await value('unsaved_age_seconds')) > 0.05)
      assert.is((await run('save', 'a')).code, 0)
      assert.ok((await value('saved_bytes_total')) > 8 * MIB)
    },
    ['save: {interval: 1h}'],
  ))

test.run()
