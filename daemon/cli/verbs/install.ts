/** `install`: writes the units of systemd, with the paths of this package in them, and a configuration where there is none. */
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeAtomically } from '../../../pipeline/base/atomic-file.ts'
import { errnoOf, TidepoolError } from '../../../pipeline/base/errors.ts'
import { exampleConfig } from '../../config/example.ts'
import { isBooted, systemctl } from '../../service/systemctl.ts'
import { isOurs, unitFiles } from '../../service/unit-files.ts'
import type { Verb } from '../cli.ts'

interface Options {
  readonly root: string
  readonly node: string
  readonly config: string
}

export const verb: Verb<[], Options> = {
  configure(command) {
    command
      .option('--root <directory>', 'write below it: for a package or an image', '/')
      .option('--node <path>', 'the program that is to run it', process.execPath)
      .option('--config <file>', 'where its configuration is to be', '/etc/tidepool/tidepool.yaml')
      .addHelpText(
        'after',
        '\nNothing is started. Run it again after each upgrade: it replaces what it wrote, and nothing else.',
      )
  },

  async run(cli, _arguments, places) {
    const { root } = places
    const files = await unitFiles(places)
    const written: string[] = []
    // All are looked at before one is written.
    const stale = []
    for (const file of files) {
      const before = await textOf(file.path)
      if (before !== undefined && !isOurs(before))
        throw new TidepoolError('unit-foreign', `${file.path} is there, and not written by this command`, {
          hint: 'Take it away, or keep what it changes as a drop-in: systemctl edit.',
          facts: { path: file.path },
        })
      if (before !== file.text) stale.push(file)
    }
    const config = join(root, places.config)
    const isNew = (await textOf(config)) === undefined
    for (const { path, text } of stale) {
      await write(path, text, 0o644)
      written.push(path)
    }
    if (isNew) {
      await write(config, exampleConfig(), 0o600)
      written.push(config)
    }
    const reloads = root === '/' && isBooted()
    if (reloads && stale.length > 0) await systemctl(['daemon-reload'], cli.signal)
    await cli.out.one({ written, madeConfig: isNew, reloaded: reloads }, () => [
      ...written.map((path) => `wrote ${path}`),
      ...(written.length === 0 ? ['all is written already'] : []),
      ...(isNew ? [`Say in ${config} which store and which dataset to use. Then:`] : ['Now:']),
      ...(isNew
        ? ['  systemctl enable --now tidepool-access tidepool tidepool-ready.target tidepool-scrub.timer']
        : ['  systemctl restart tidepool']),
    ])
  },
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function write(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeAtomically(path, [Buffer.from(text)], { mode })
}
