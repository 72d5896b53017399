/** Streams in files, and the command that is measured: what a person would run, built. */
import { spawnSync } from 'node:child_process'
import { createWriteStream, existsSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { generateStream } from '../test/support/stream-generator.ts'

/** Half of it compresses, as what people keep does about. */
export async function streamFile(path: string, bytes: number | bigint, toGuid: bigint): Promise<string> {
  await pipeline(
    generateStream({ seed: Number(toGuid), bytes, toGuid, halfCompressible: true, pieceBytes: 1 << 20 }),
    createWriteStream(path),
  )
  return path
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const BUILT = `${ROOT}dist/daemon/cli/main.js`

/** Builds what is measured from the sources as they stand. */
export function build(): void {
  const { status, stdout } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0 || !existsSync(BUILT)) throw new Error(`the build failed:\n${stdout}`)
}

export function tidepool(...args: string[]): [string, ...string[]] {
  return [process.execPath, `${ROOT}bin/tidepool`, ...args]
}
