/** How long anything else in the process has to wait while a long stream is put: a daemon answers meanwhile. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { inputOf } from '../daemon/cli/input.ts'
import { newHostId, newSessionId, projectId } from '../pipeline/base/ids.ts'
import { createProject } from '../pipeline/graph/transitions/life.ts'
import { initStore, openStore } from '../pipeline/stores/open.ts'
import { putStream } from '../pipeline/transfer/put.ts'
import { streamFile } from './files.ts'
import { spread } from './pairs.ts'
import type { Suite } from './report.ts'

const NS_PER_MS = 1e6

export const eventLoop: Suite = async ({ pairs, bytes, scratch }) => {
  const stream = await streamFile(join(scratch, 'stream'), bytes, 11n)
  const p99Ms: number[] = []
  const longestMs: number[] = []
  for (let round = 0; round < pairs; round++) {
    const root = join(scratch, 'store')
    await initStore(`dir:${root}`)
    const { store, limiter, close } = await openStore(`dir:${root}`)
    const [host, project] = [newHostId(), projectId('p')]
    await store.catalogue.apply(createProject(project, { owner: host, nowMs: Date.now() }))
    const input = await inputOf(stream, process.stdin)
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    await putStream(input.open, { store, limiter, project, host, session: newSessionId() })
    delay.disable()
    p99Ms.push(delay.percentile(99) / NS_PER_MS)
    longestMs.push(delay.max / NS_PER_MS)
    await close()
    rmSync(root, { recursive: true })
  }
  rmSync(stream)
  const row = (name: string, values: number[]) => ({
    name,
    value: spread(values).median,
    spread: spread(values),
    unit: 'ms',
  })
  return [
    { ...row('event-loop delay during a put to a directory, p99', p99Ms), target: { atMost: 10 } },
    row('the longest', longestMs),
  ]
}
