/** The process behind `npm start` and `npm stop`. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { socketLock } from '../../native/lock/socket-lock.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { describeFailure } from '../cli/exit.ts'
import { checkoutAt } from './checkout.ts'
import { down } from './down.ts'
import { up } from './up.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

async function main(verb: string | undefined): Promise<number> {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => interrupted.abort(new TidepoolError('interrupted', 'interrupted')))
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  if (verb === 'down') {
    if (process.getuid?.() !== 0)
      throw new TidepoolError('needs-root', 'only root may put the pool away', { hint: 'sudo npm stop' })
    return (await down(ROOT, interrupted.signal, say)) ? 0 : 1
  }
  const { directory, pool } = checkoutAt(ROOT)
  // By the name of its pool, which no other checkout has.
  const lock = await socketLock(`tidepool-start-${pool}`)
  if (!lock)
    throw new TidepoolError('already-started', 'this checkout is served by another npm start already', {
      hint: '`bin/tidepool status` asks it; Ctrl-C there, or npm stop, ends it.',
    })
  const pidFile = join(directory, 'up.pid')
  await up(ROOT, interrupted.signal, say, () => writeFile(pidFile, String(process.pid)))
  await rm(pidFile, { force: true })
  return 0
}

main(process.argv[2]).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    process.stderr.write(describeFailure(error, { json: false, debug: process.env.TIDEPOOL_DEBUG === '1' }))
    process.exitCode = 1
  },
)
