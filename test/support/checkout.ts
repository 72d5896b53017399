/** A checkout of a test's own, served as the README says. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { eventually, type Walked, walk } from './fuse.ts'

const TOP = fileURLToPath(new URL('../..', import.meta.url))
/** What a test has no use for. */
const NOT_NEEDED = /^(test|bench)\//

/** As a clone would have it, with what was changed and is not committed yet: nothing that git does not know is there. */
function cloneTo(root: string): void {
  const git = (...args: string[]) => execFileSync('git', ['-C', TOP, ...args], { encoding: 'utf8' })
  const known = git('ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0')
  const files = known.filter((file) => file !== '' && !NOT_NEEDED.test(file) && existsSync(join(TOP, file)))
  execFileSync('cp', ['-a', '--parents', '-t', root, '--', ...files], { cwd: TOP })
}

export type Started = ChildProcess & { readonly printed: () => string }

export interface Checkout {
  readonly root: string
  /** Resolves once it serves; with the process of npm. */
  readonly start: () => Promise<Started>
  readonly sh: (lines: string) => Promise<Walked>
}

export async function withCheckout(body: (checkout: Checkout) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'tidepool-test-checkout-'))
  const sh = (lines: string): Promise<Walked> => walk(`cd ${root}; ${lines}`, { limitMs: 60_000 })
  const start = async (): Promise<Started> => {
    const child = spawn('npm', ['start'], { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (printed += text))
    await eventually(`npm start serves:\n${printed}`, 120_000, async () => {
      assert.is(child.exitCode, null, printed)
      return printed.includes('Ctrl-C ends it')
    })
    return Object.assign(child, { printed: () => printed })
  }
  try {
    cloneTo(root)
    await symlink(join(TOP, 'node_modules'), join(root, 'node_modules'))
    await body({ root, start, sh })
  } finally {
    await sh('npm stop')
    await rm(root, { recursive: true, force: true })
  }
}

export const daemonOf = async (root: string): Promise<number> =>
  Number(await readFile(join(root, '.tidepool/up.pid'), 'utf8'))

export async function ended(child: ChildProcess, act: () => void): Promise<void> {
  const closed = once(child, 'close')
  act()
  await closed
}
