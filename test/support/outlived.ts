/** A command of ZFS whose process was killed while it ran, and which runs on. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const changer = fileURLToPath(new URL('./zfs-changer.ts', import.meta.url))

/** `hasBegun` tells when it is far enough to be left alone. */
export async function outlivedCommand(
  zfs: string,
  args: readonly string[],
  hasBegun: () => Promise<boolean>,
): Promise<void> {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), changer, zfs, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = once(child, 'exit')
  while (!(await hasBegun()) && child.exitCode === null) await sleep(20)
  child.kill('SIGKILL')
  await ended
}
