/** The access process is killed while users work: open files go on, walks fail for a moment, and nothing hangs or is unmounted. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { superviseAccess } from '../../daemon/access/supervise.ts'
import { eventually, walk } from '../support/fuse.ts'
import { type Host, withHosts } from '../support/hosts.ts'
import { PLAIN } from '../support/tree-changes.ts'

const test = suite('access: its process is killed under load')

const CALLERS = fileURLToPath(new URL('../support/access-callers.mjs', import.meta.url))
const KILLS = 3
/** Before a kill and after it. */
const AT_WORK_MS = 1000
/** This machine may be busy with something else at one of the kills; at each of them is no accident. */
const BACK_WITHIN_MS = 2000

interface Told {
  readonly done: number
  readonly failed: readonly { readonly code: string; readonly atMs: number }[]
}

/** As the project's owner; ends with what it tells. */
async function caller(how: 'open' | 'walk', file: string): Promise<() => Promise<Told>> {
  const child = spawn(process.execPath, [CALLERS, how, file], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...PLAIN,
  })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  await once(child.stdout, 'data')
  return async () => {
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
    return JSON.parse(printed.split('\n')[1] ?? '') as Told
  }
}

/** As a daemon without a service manager keeps it running. */
async function withSupervised(
  host: Host,
  body: (pid: () => Promise<number>) => Promise<void>,
): Promise<void> {
  const at = (name: string): string => join(dirname(host.root), name)
  const stop = new AbortController()
  const { root, mounts: mountRoot, accessSocket: socket } = host
  const where = { root, mountRoot, socket, browse: 'resident' }
  const running = superviseAccess(
    { ...where, pidFile: at('access.pid'), logFile: at('access.log') },
    stop.signal,
  )
  try {
    await body(async () => Number(await readFile(at('access.pid'), 'utf8')))
  } finally {
    stop.abort()
    await running
  }
}

test('open files go on without an error, walks fail for two seconds at most, who waits has an errno', () =>
  withHosts(async ([host]) => {
    if (!host) throw new Error('there is no host')
    await host.daemon()
    await host.create('p1', PLAIN)
    const [log, file] = [`${host.root}/p1/log`, `${host.root}/p1/file`]
    const missedMs: number[] = []
    const lines: string[] = []
    for (let kill = 0; kill < KILLS; kill++)
      await withSupervised(host, async (pid) => {
        const served = async () => (await walk(`echo here > ${file}`, { plain: true })).code === 0
        await eventually('it is served', 60_000, served)
        const [writer, walker] = [await caller('open', log), await caller('walk', file)]
        await sleep(AT_WORK_MS)
        const before = await pid()
        const killedMs = Date.now()
        process.kill(before, 'SIGKILL')
        await eventually(
          'another one serves',
          60_000,
          async () => (await pid()) !== before && (await served()),
        )
        await sleep(AT_WORK_MS)
        const [wrote, walked] = [await writer(), await walker()]
        assert.equal(wrote.failed, [], 'an open file knows nothing of it')
        assert.ok(wrote.done > 20 && walked.done > 20, `${wrote.done} writes, ${walked.done} walks`)
        for (const { code } of walked.failed) assert.match(code, /^(ENOTCONN|ECONNABORTED|ENOENT)$/)
        missedMs.push(Math.max(0, ...walked.failed.map(({ atMs }) => atMs - killedMs)))
        lines.push(...Array.from({ length: wrote.done }, (_, line) => `${line}\n`))
        assert.equal(await host.mounted(), ['p1'], 'no project was unmounted')
      })
    assert.is(
      await readFile(join(host.mounts, 'p1/log'), 'utf8'),
      lines.join(''),
      'all that was written is there',
    )
    assert.ok(Math.min(...missedMs) <= BACK_WITHIN_MS, `walks failed for ${missedMs} ms`)
  }))

test.run()
