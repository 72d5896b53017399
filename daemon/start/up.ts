/** `npm start`: serves the projects of this checkout until Ctrl-C, which leaves them mounted. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openZfs } from '../../native/zfs/zfs.ts'
import { Daemon } from '../daemon.ts'
import { prepare } from './checkout.ts'

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
  const daemon = await Daemon.start(config, signal)
  await onServing()
  const command = existsSync(join(root, 'bin/tidepool')) ? 'bin/tidepool' : 'tidepool'
  const mounted = daemon.engine.found.residents.filter((one) => one.mounted).length
  for (const line of [
    '',
    'Tidepool serves the projects of this machine.',
    '',
    `  projects   ${config.access}/<id>`,
    `  store      ${config.store}`,
    `  pool       ${config.dataset}, ZFS ${zfs.capabilities.version ?? zfs.capabilities.flavour}`,
    `  found      ${daemon.engine.found.residents.length} projects in the pool, ${mounted} of them mounted`,
    '',
    'Try, in another terminal:',
    `  ${command} create home1 && echo hello > ${config.mounts}/home1/file`,
    `  ${command} save home1 && ${command} history home1`,
    `  ${command} status`,
    '',
    'Ctrl-C ends it and leaves what is mounted; npm stop saves all and puts the pool away.',
  ])
    say(line)
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await daemon.stop()
}
