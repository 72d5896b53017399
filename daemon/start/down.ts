/** `npm stop`: ends the daemon of this checkout, saves and unmounts every project, and puts its pool away. */
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { unmount } from '../../native/zfs/mount.ts'
import { poolState } from '../../native/zfs/pool.ts'
import { openZfs, type Zfs } from '../../native/zfs/zfs.ts'
import { codeOf, errnoOf, messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { endAccess } from '../access/supervise.ts'
import { readConfig } from '../config/read.ts'
import { Daemon } from '../daemon.ts'
import { accessPidFile, type Checkout, checkoutAt } from './checkout.ts'

const PATIENCE_MS = 60_000

/** Resolves with false where something could not be saved or is in use: it is named, and the pool stays. */
export async function down(root: string, signal: AbortSignal, say: (line: string) => void): Promise<boolean> {
  const checkout = checkoutAt(root)
  if (!existsSync(checkout.configFile)) {
    say('nothing was ever started here')
    return true
  }
  await endProcess(join(checkout.directory, 'up.pid'), 'daemon/start/main')
  const config = await readConfig(checkout.configFile)
  // One that was killed could not end its access process.
  await endAccess({ root: config.access, pidFile: accessPidFile(checkout) })
  const zfs = await zfsWith(checkout)
  if (!zfs) {
    say(
      `${checkout.pool} is not there, so nothing is to be saved or put away; npm start finds everything again`,
    )
    return true
  }
  const daemon = await Daemon.start(config, signal)
  let allClosed = true
  try {
    const unless = async (name: string, act: Promise<unknown>, done: string | undefined): Promise<void> => {
      try {
        await act
        if (done !== undefined) say(done)
      } catch (error) {
        allClosed = false
        say(`${name} stays as it is: ${messageOf(error)}`)
      }
    }
    for (const { id } of await daemon.engine.residents())
      await unless(id, daemon.engine.close(id, { signal }), `${id} is saved`)
    // What a restore has mounted holds the pool too; it is there again when it is asked for.
    for (const { name } of daemon.engine.found.restored) await unless(name, unmount(zfs, name), undefined)
  } finally {
    await daemon.stop()
  }
  if (!allClosed) return false
  await zfs.commands.change('zpool', ['export', checkout.pool])
  say(`${checkout.pool} is put away; npm start finds everything again`)
  await endZfs(checkout, zfs, say)
  return true
}

/** Undefined where it does not have the pool: it was put away, or no ZFS is there any more that could have it. */
async function zfsWith({ pool }: Checkout): Promise<Zfs | undefined> {
  try {
    const zfs = await openZfs()
    await poolState(zfs, pool)
    return zfs
  } catch (error) {
    if (codeOf(error) === 'pool-missing' || codeOf(error) === 'no-daemon') return undefined
    throw error
  }
}

/** The zfs-fuse that a start has begun, once no pool is left in it. */
async function endZfs({ directory }: Checkout, zfs: Zfs, say: (line: string) => void): Promise<void> {
  const file = join(directory, 'zfs-fuse.pid')
  if ((await zfs.commands.read('zpool', ['list', '-H', '-o', 'name'])).trim() !== '') return
  if (await endProcess(file, 'zfs-fuse')) say('zfs-fuse has ended')
}

/** False where the file names no process, or one with another command: a killed one leaves its file, and its number to others. */
async function endProcess(file: string, command: string): Promise<boolean> {
  const pid = Number(await readFile(file, 'utf8').catch(() => ''))
  if (!(pid > 1) || !(await commandOf(pid)).includes(command)) return false
  try {
    process.kill(pid, 'SIGTERM')
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(50))
      process.kill(pid, 0)
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error
    await rm(file, { force: true })
    return true
  }
  throw new TidepoolError('still-running', `process ${pid} of ${file} has not ended`, {
    hint: `Look at what it does, end it, and try again.`,
  })
}

const commandOf = (pid: number): Promise<string> => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
