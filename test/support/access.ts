/** An access process with a root of its own, and projects that are mounted without a ZFS: each a small file system in memory. */
import { execFile } from 'node:child_process'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Browse } from '../../daemon/access/layer.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { type FuseWorld, type Program, type Started, withFuseWorld } from './fuse.ts'

const run = promisify(execFile)

export const MAIN = fileURLToPath(new URL('../../daemon/access/main.ts', import.meta.url))
const DAEMON = fileURLToPath(new URL('access-daemon-child.ts', import.meta.url))

/** It holds one file, `file`, with the project's id in it, that everybody may read. */
export async function mountStandIn(mountRoot: string, id: ProjectId): Promise<string> {
  const path = join(mountRoot, id)
  await mkdir(path)
  await run('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0755', 'tidepool-test', path])
  await writeFile(join(path, 'file'), id)
  return path
}

/** Without force: who is in it keeps it. */
export async function unmountStandIn(mountRoot: string, id: ProjectId): Promise<void> {
  const path = join(mountRoot, id)
  await run('umount', [path])
  await rmdir(path)
}

export class AccessWorld {
  readonly root: string
  readonly mountRoot: string
  readonly socket: string
  readonly #started: Started

  constructor({ directory, root, mountRoot }: FuseWorld, started: Started) {
    this.root = root
    this.mountRoot = mountRoot
    this.socket = join(directory, 'run', 'access.sock')
    this.#started = started
  }

  /** Resolves once the root answers. */
  serve({
    browse = 'resident',
    waitLimit = '20s',
  }: {
    browse?: Browse
    waitLimit?: string
  } = {}): Promise<Program> {
    const { root, mountRoot, socket } = this
    const where = ['--root', root, '--mount-root', mountRoot, '--socket', socket]
    return this.#started.program(MAIN, [...where, '--browse', browse, '--wait-limit', waitLimit], 'serving')
  }

  /** A daemon as a process, to be killed; what it opens, and how, see there. */
  daemon(): Promise<Program> {
    return this.#started.program(DAEMON, [this.socket, this.mountRoot], 'listening')
  }
}

export function withAccess(body: (world: AccessWorld) => Promise<void>): Promise<void> {
  return withFuseWorld((world, started) => body(new AccessWorld(world, started)))
}
