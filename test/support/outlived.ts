/** A command of ZFS whose process was killed while it ran, and which runs on. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { until } from './within.ts'

const changer = fileURLToPath(new URL('./zfs-changer.ts', import.meta.url))

/** `hasBegun` tells when it is far enough to be left alone; a daemon's commands are started by a launcher, those that carry streams by itself. */
export async function outlivedCommand(
  zfs: string,
  args: readonly string[],
  hasBegun: () => Promise<boolean>,
  how: 'here' | 'launcher' = 'launcher',
): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), changer, how, zfs, ...args],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  const ended = once(child, 'exit')
  try {
    await until('the command has begun', async () => (await hasBegun()) || child.exitCode !== null)
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}
