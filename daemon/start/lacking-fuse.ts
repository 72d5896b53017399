/** Whether a root of links can be served here, seen before anybody waits for it. */
import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'

export interface Lack {
  readonly what: string
  readonly mend: string
}

/** Major 10, minor 229: what stands at its place in some containers is another thing. */
const FUSE_RDEV = 10 * 256 + 229
const LOAD_LIMIT_MS = 30_000

/** Undefined where nothing is lacking. `root` is where the npm packages are. */
export async function lackingFuse(root: string, device = '/dev/fuse'): Promise<Lack | undefined> {
  const stats = await stat(device).catch(() => undefined)
  if (!stats?.isCharacterDevice() || stats.rdev !== FUSE_RDEV)
    return { what: `there is no ${device}`, mend: 'modprobe fuse; in a container, give it the device' }
  const refused = await addonRefusal(root)
  if (refused === undefined) return undefined
  if (/libfuse/.test(refused))
    return { what: 'libfuse 2 is missing', mend: 'apt-get install libfuse2 (or libfuse2t64)' }
  return { what: 'the npm package fuse-native cannot be loaded', mend: 'npm ci --include=optional' }
}

/** In a process of its own: this one never needs it. */
function addonRefusal(root: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { cwd: root, timeout: LOAD_LIMIT_MS }
    execFile(process.execPath, ['-e', "require('fuse-native')"], options, (error, _stdout, stderr) =>
      resolve(error ? stderr || error.message : undefined),
    )
  })
}
