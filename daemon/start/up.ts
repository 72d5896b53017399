/** `npm start`: serves the projects of this checkout until Ctrl-C, which leaves them mounted. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readMounts } from '../../native/mount/mountinfo.ts'
import { openZfs } from '../../native/zfs/zfs.ts'
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import { messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { superviseAccess } from '../access/supervise.ts'
import { accessSocketOf, Daemon } from '../daemon.ts'
import { openLog } from '../log/log.ts'
import { accessPidFile, checkoutAt, prepare } from './checkout.ts'
import { lackingFuse } from './lacking-fuse.ts'
import { keepSmall, LogFile } from './log-file.ts'

/** An access process starts in a second; beside much other work it has taken more than ten. */
const SERVED_WITHIN_MS = 60_000

async function isServed(root: string, signal: AbortSignal): Promise<boolean> {
  for (const end = performance.now() + SERVED_WITHIN_MS; performance.now() < end && !signal.aborted; ) {
    if ((await readMounts()).some(({ mountPoint }) => mountPoint === root)) return true
    await sleep(100)
  }
  return false
}

/** `onServing` is called once the daemon answers. */
export async function up(
  root: string,
  signal: AbortSignal,
  say: (line: string) => void,
  onServing: () => Promise<void>,
): Promise<void> {
  const zfs = await openZfs()
  const { config, made } = await prepare(root, zfs, signal)
  for (const line of made) say(`setup: ${line}`)
  const lack = await lackingFuse(root)
  const checkout = checkoutAt(root)
  // The terminal stays calm: it says what is where, and nothing more.
  const lines = new LogFile(join(checkout.directory, 'daemon.log'), (error) =>
    say(`daemon.log: ${messageOf(error)}`),
  )
  const log = openLog({ level: config.log.level, write: (line) => lines.write(line) })
  const daemon = await Daemon.start(config, signal, {
    configFile: checkout.configFile,
    say,
    log,
    withoutRoot: lack !== undefined,
  })
  const logFile = join(checkout.directory, 'access.log')
  keepSmall(logFile)
  // Also where it fails: neither the daemon nor the access process stays behind.
  const ending = new LinkedAbort(signal)
  const access = lack
    ? undefined
    : superviseAccess(
        {
          root: config.access,
          mountRoot: config.mounts,
          socket: accessSocketOf(config),
          browse: config.browse,
          pidFile: accessPidFile(checkout),
          logFile,
        },
        ending.signal,
      ).catch((error: unknown) => say(`the access process: ${messageOf(error)}`))
  try {
    await onServing()
    const served = lack === undefined && (await isServed(config.access, signal))
    const command = existsSync(join(root, 'bin/tidepool')) ? 'bin/tidepool' : 'tidepool'
    const mounted = daemon.engine.found.residents.filter((one) => one.mounted).length
    for (const line of [
      '',
      'Tidepool serves the projects of this machine.',
      '',
      served
        ? `  projects   ${config.access}/<id>, open when they are touched`
        : `  projects   by \`${command} open ID\`: ${config.access} is not served, ${lack?.what ?? `see ${logFile}`}`,
      ...(lack ? [`             to have it: ${lack.mend}; then start again`] : []),
      `  store      ${config.store}`,
      `  pool       ${config.dataset}, ZFS ${zfs.capabilities.version ?? zfs.capabilities.flavour}`,
      `  found      ${daemon.engine.found.residents.length} projects in the pool, ${mounted} of them mounted`,
      ...(daemon.pageLink === undefined ? [] : [`  status     ${daemon.pageLink}`]),
      '',
      'Try, in another terminal:',
      ...(served
        ? [
            `  ${command} create home1 && echo hello > projects/home1/file`,
            `  ${command} save home1 && ${command} evict home1`,
            '  cat projects/home1/file',
          ]
        : [`  ${command} create home1`, `  ${command} open home1`, `  ${command} status`]),
      '',
      'Ctrl-C ends it and leaves what is mounted; npm stop saves all and puts the pool away.',
    ])
      say(line)
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
  } finally {
    ending.abort(new TidepoolError('stopped', 'it ends'))
    ending.leave()
    await access
    await daemon.stop()
    lines.close()
  }
}
