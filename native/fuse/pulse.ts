/** Whether a root answers whoever walks through it: asked by a child, because a process that asks itself waits for ever. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const LIMIT_MS = 10_000

/** Whether a link in it can be read. False at the limit too: a child that hangs in it is left behind until somebody aborts that. */
export function answersWalks(root: string, link: string, limitMs: number = LIMIT_MS): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('readlink', [join(root, link)], { cwd: '/', stdio: 'ignore' })
    const settle = (answers: boolean): void => {
      clearTimeout(timer)
      resolve(answers)
    }
    const timer = setTimeout(() => {
      child.unref()
      settle(false)
    }, limitMs)
    child.once('exit', (code) => settle(code === 0))
    // That no child could be started says nothing about the root.
    child.once('error', () => settle(true))
  })
}
