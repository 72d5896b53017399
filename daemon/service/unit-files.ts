/** The files that make a service of systemd out of this package: from where each comes, where it goes, and what is put in it. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { packageDirectory, version } from '../cli/package.ts'

export interface UnitFile {
  readonly path: string
  readonly text: string
}

export interface Places {
  /** Below which all is written: `/`, or another directory for a package or an image. */
  readonly root: string
  /** The program that runs it. */
  readonly node: string
  readonly config: string
}

/** Those that somebody starts, in the order in which they are stopped. */
export const STARTED = [
  'tidepool-ready.target',
  'tidepool-scrub.timer',
  'tidepool-put-away.service',
  'tidepool.service',
  'tidepool-access.service',
] as const
const UNITS = [...STARTED, 'tidepool-scrub.service'] as const

/** What the files in `systemd/` say, which are right as they are where a package manager puts all in its usual place. */
const USUAL = {
  node: '/usr/bin/node',
  directory: '/usr/lib/node_modules/tidepool',
  config: '/etc/tidepool/tidepool.yaml',
}
const MARK = '# Written by `tidepool install`'

/** What it has written may be overwritten and removed; anything else is somebody's own. */
export const isOurs = (text: string): boolean => text.startsWith(MARK)

export const pathsOf = (root: string): readonly string[] =>
  UNITS.map((name) => join(root, 'etc/systemd/system', name))

/** Rejects where the units would name a program that is not there, or a path that systemd reads otherwise. */
export async function unitFiles({ root, node, config }: Places): Promise<readonly UnitFile[]> {
  const directory = packageDirectory()
  if (!existsSync(join(directory, 'dist/daemon/access/main.js')))
    throw new TidepoolError('not-built', `${directory} is not built: a service runs what was built`, {
      hint: 'Install the package (`npm pack`, then `npm install -g ./tidepool-*.tgz`), and use its command.',
    })
  for (const path of [node, directory, config])
    if (!/^\/[\w./+@-]+$/.test(path))
      throw new TidepoolError('bad-path', `${JSON.stringify(path)} cannot stand in a unit as it is`, {
        hint: 'It has to be absolute, of letters, digits and ./+@-_ alone.',
      })
  const text = async (name: string): Promise<string> => {
    const written = await readFile(join(directory, 'systemd', name), 'utf8')
    return [
      `${MARK} ${version()}; changes belong in a drop-in (systemctl edit).`,
      written
        .replaceAll(USUAL.node, node)
        .replaceAll(USUAL.directory, directory)
        .replaceAll(USUAL.config, config),
    ].join('\n')
  }
  const paths = pathsOf(root)
  return Promise.all(UNITS.map(async (name, at) => ({ path: paths[at] ?? '', text: await text(name) })))
}
