/** A program of the tests as plain JavaScript, for one that is started hundreds of times. */
import { execFile } from 'node:child_process'
import { symlink, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const TOP = fileURLToPath(new URL('../..', import.meta.url))
/** What sources start by its name, and import nowhere. */
const BY_NAME = ['native/zfs/launch.js', 'pipeline/stores/directory/writer.ts']

/** Compiles it, and all that it imports, into the directory; returns its path there. */
export async function compiled(program: string, directory: string): Promise<string> {
  const config = {
    extends: join(TOP, 'tsconfig.json'),
    compilerOptions: { noEmit: false, noCheck: true, rootDir: TOP, outDir: directory, types: [] },
    include: [],
    files: [program, ...BY_NAME.map((file) => join(TOP, file))],
  }
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config))
  for (const name of ['node_modules', 'package.json']) await symlink(join(TOP, name), join(directory, name))
  const tsc = join(TOP, 'node_modules/typescript/bin/tsc')
  await promisify(execFile)(process.execPath, [tsc, '--project', directory])
  return join(directory, relative(TOP, program)).replace(/\.ts$/, '.js')
}
