/** The highest resident size of a put and of a get, by the length of the stream: it must not depend on it. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { GIB, humanBytes, MIB } from '../pipeline/base/units.ts'
import { run } from './child.ts'
import { build, streamFile, tidepool } from './files.ts'
import type { Row, Suite } from './report.ts'

const LENGTHS_BYTES = [64 * MIB, GIB, 8 * GIB]
const LIMIT_MIB = 180

export const memory: Suite = async ({ scratch }) => {
  build()
  const rows: Row[] = []
  for (const bytes of LENGTHS_BYTES) {
    const stream = await streamFile(join(scratch, 'stream'), bytes, 11n)
    const root = join(scratch, 'store')
    const store = ['--store', `dir:${root}`]
    await run(tidepool(...store, 'store', 'init'))
    const put = await run(tidepool(...store, 'stream', 'put', 'p', stream))
    rmSync(stream)
    const { writeId } = JSON.parse((await run(tidepool(...store, '--json', 'stream', 'ls', 'p'))).stdout)
    const get = await run(tidepool(...store, 'stream', 'get', writeId, join(scratch, 'copy')))
    const row = (verb: string, { highestRssMib }: typeof put): Row => ({
      name: `${verb} of ${humanBytes(bytes)}, highest RSS`,
      value: highestRssMib,
      unit: 'MiB',
      target: { atMost: LIMIT_MIB },
    })
    rows.push(row('put', put), row('get', get))
    for (const path of ['copy', 'store']) rmSync(join(scratch, path), { recursive: true, force: true })
  }
  return rows
}
