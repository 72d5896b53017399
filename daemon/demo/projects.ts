/**
 * `demo`: the README's quick start, played by a daemon of its own on a pool of its own: a project is made, written to, saved, evicted,
 * and is there again when it is touched.
 */
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isOurRoot } from '../../native/fuse/stale.ts'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { exists } from '../../native/zfs/get.ts'
import { childOf, datasetName } from '../../native/zfs/names.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { superviseAccess } from '../access/supervise.ts'
import { Client } from '../client/client.ts'
import { accessSocketOf, Daemon, socketOf } from '../daemon.ts'
import { accessPidFile, setUp } from './machine.ts'
import { insist, type Steps } from './steps.ts'

const HOME = projectId('home1')
const FILE_BYTES = 2 * 2 ** 20
const SERVED_WITHIN_MS = 20_000
/** Above what a caller waits for an open at the most. */
const TOUCH_LIMIT_MS = 130_000

export async function playProjects(
  place: string,
  zfs: Zfs,
  steps: Steps,
  signal: AbortSignal,
): Promise<void> {
  const config = await steps.step('made a pool on a file and a directory store', () =>
    setUp(place, zfs, signal),
  )
  const daemon = await steps.step('started a daemon', () => Daemon.start(config, signal))
  const ending = new LinkedAbort(signal)
  let failed: unknown
  const access = superviseAccess(
    {
      root: config.access,
      mountRoot: config.mounts,
      socket: accessSocketOf(config),
      browse: config.browse,
      pidFile: accessPidFile(place),
      logFile: join(place, 'access.log'),
    },
    ending.signal,
  ).catch((error: unknown) => {
    failed = error
  })
  const ask = <Answer>(method: string, path: string, body?: unknown): Promise<Answer> =>
    new Client({ socket: socketOf(config) }).call<Answer>(method, path, { body, signal })
  const file = join(config.access, HOME, 'file')
  const bytes = randomBytes(FILE_BYTES)
  const wanted = createHash('sha256').update(bytes).digest('hex')
  try {
    await steps.step(`served ${config.access}`, async () => {
      for (
        const end = performance.now() + SERVED_WITHIN_MS;
        !(await isServed(config.access));
        await sleep(50)
      ) {
        if (failed !== undefined) throw failed
        signal.throwIfAborted()
        insist(performance.now() < end, `${config.access} is not served, see ${join(place, 'access.log')}`)
      }
    })
    await steps.step(`created project ${HOME}`, () => ask('POST', '/v1/projects', { id: HOME }))
    await steps.step(`wrote 2 MiB to ${file}`, () => inAChild('tee', [file], signal, bytes))
    await steps.step('saved it: the store has it now', () => ask('POST', `/v1/projects/${HOME}/save`))
    await steps.step('evicted it: the pool has nothing of it any more', async () => {
      await ask('POST', `/v1/projects/${HOME}/evict`)
      insist(
        !(await exists(zfs, childOf(datasetName(config.dataset), HOME), { signal })),
        'its dataset is there still',
      )
    })
    await steps.step(
      'touched the file: the project came back, and the file is what was written',
      async () => {
        const [found] = (await inAChild('sha256sum', [file], signal)).split(' ')
        insist(found === wanted, `the file has the digest ${found}, and ${wanted} was written`)
      },
    )
    await steps.step('closed it', () => ask('POST', `/v1/projects/${HOME}/close`))
  } finally {
    ending.abort(new TidepoolError('stopped', 'the demonstration ends'))
    ending.leave()
    await access
    await daemon.stop()
  }
}

const isServed = async (root: string): Promise<boolean> =>
  (await readMounts()).some((mount) => mount.mountPoint === root && isOurRoot(mount))

/** Whoever serves a path must not walk it: a process of its own does. Its output, for what it was given. */
function inAChild(program: string, args: string[], signal: AbortSignal, given?: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      cwd: '/',
      timeout: TOUCH_LIMIT_MS,
      encoding: 'latin1',
      maxBuffer: 2 ** 26,
      signal,
    } as const
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (signal.aborted) reject(signal.reason)
      else if (error)
        reject(
          new TidepoolError('demo-failed', `${program} ${args.join(' ')}: ${stderr.trim() || error.message}`),
        )
      else resolve(stdout)
    })
    // How it ended tells, not that it stopped reading.
    child.stdin?.on('error', () => {})
    child.stdin?.end(given)
  })
}
