/** The directory store as a person uses it, whole processes, beside `cat` and `cp` on the same disk. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { MIB } from '../pipeline/base/units.ts'
import { type Ran, run } from './child.ts'
import { build, streamFile, tidepool } from './files.ts'
import { inPairs } from './pairs.ts'
import { pairedRow, type Settings, type Suite } from './report.ts'

/** Dirty pages of the one measured before must not be written during the next. */
const settleDisk = (): Promise<Ran> => run(['sync'])

export const directory: Suite = async ({ pairs, bytes, random, scratch }: Settings) => {
  build()
  const stream = await streamFile(join(scratch, 'stream'), bytes, 11n)
  const copy = join(scratch, 'copy')
  const root = join(scratch, 'store')
  const rate = ({ seconds }: Ran): number => bytes / MIB / seconds

  const shell = async (script: string): Promise<number> => {
    rmSync(copy, { force: true })
    await settleDisk()
    return rate(await run(['sh', '-c', script, 'sh', stream, copy]))
  }
  const put = async (): Promise<number> => {
    rmSync(root, { recursive: true, force: true })
    await run(tidepool('--store', `dir:${root}`, 'store', 'init'))
    await settleDisk()
    return rate(await run(tidepool('--store', `dir:${root}`, 'stream', 'put', 'p', stream)))
  }
  const putRow = pairedRow(
    'put FILE',
    'cat > file; sync',
    await inPairs(pairs, random, put, () => shell('cat "$1" > "$2"; sync')),
    { atLeast: 0.85 },
  )

  if (!existsSync(root)) await put()
  const { writeId } = JSON.parse(
    (await run(tidepool('--store', `dir:${root}`, '--json', 'stream', 'ls', 'p'))).stdout,
  )
  const get = async (): Promise<number> => {
    rmSync(copy, { force: true })
    await settleDisk()
    return rate(await run(tidepool('--store', `dir:${root}`, 'stream', 'get', writeId, copy)))
  }
  const getRow = pairedRow(
    'get FILE',
    'cp; sync',
    await inPairs(pairs, random, get, () => shell('cp "$1" "$2"; sync')),
    {
      atLeast: 0.85,
    },
  )
  for (const path of [stream, copy, root]) rmSync(path, { recursive: true, force: true })
  return [putRow, getRow]
}
