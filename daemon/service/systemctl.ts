/** Asks systemd to do something, where it is there to be asked. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { TidepoolError } from '../../pipeline/base/errors.ts'

const run = promisify(execFile)

/** As sd_booted(3) finds it out. */
export const isBooted = (): boolean => existsSync('/run/systemd/system')

export async function systemctl(args: readonly string[], signal: AbortSignal): Promise<void> {
  try {
    await run('systemctl', args, { cwd: '/', signal })
  } catch (error) {
    signal.throwIfAborted()
    const { stderr, message } = error as Error & { stderr?: string }
    throw new TidepoolError('systemctl-failed', `systemctl ${args.join(' ')}: ${stderr?.trim() || message}`, {
      cause: error,
    })
  }
}
