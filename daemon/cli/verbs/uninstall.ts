/** `uninstall`: closes every project, ends the service and takes its units away. Datasets, state and store stay. */
import { readFile, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { codeOf, messageOf, TidepoolError } from '../../../pipeline/base/errors.ts'
import { isBooted, systemctl } from '../../service/systemctl.ts'
import { isOurs, pathsOf, STARTED } from '../../service/unit-files.ts'
import type { Cli, Verb } from '../cli.ts'
import { counted } from '../output.ts'

interface Options {
  readonly root: string
  readonly apply?: boolean
  readonly unsaved?: boolean
}

export const verb: Verb<[], Options> = {
  configure(command) {
    command
      .option('--apply', 'do it; without this it says what it would do')
      .option('--unsaved', 'also where no daemon answers that could save first')
      .option('--root <directory>', 'below which the units are', '/')
  },

  async run(cli, _arguments, { root, apply = false, unsaved = false }) {
    const projects = await residents(cli, unsaved)
    const files: string[] = []
    for (const path of pathsOf(root)) if (await isWrittenByUs(path)) files.push(path)
    if (apply) {
      await closeAll(cli, projects)
      const there = STARTED.filter((name) => files.some((path) => basename(path) === name))
      const asks = root === '/' && isBooted()
      if (asks && there.length > 0) await systemctl(['disable', '--now', ...there], cli.signal)
      for (const path of files) await rm(path, { force: true })
      if (asks) await systemctl(['daemon-reload'], cli.signal)
    }
    await cli.out.one({ applied: apply, projects, files }, () => [
      ...(projects.length > 0
        ? [`${apply ? 'closed' : 'would close'} ${counted(projects.length, 'project')}`]
        : []),
      ...files.map((path) => `${apply ? 'removed' : 'would remove'} ${path}`),
      ...(files.length === 0 ? ['no unit of ours is there'] : []),
      'What stays: datasets and their pool, the state directory, the configuration, the store.',
      apply ? 'The program itself: npm uninstall -g tidepool' : 'Nothing was changed: --apply does it.',
    ])
  },
}

async function residents(cli: Cli, unsaved: boolean): Promise<readonly string[]> {
  try {
    const { projects } = await cli.ask<{ projects: readonly { readonly id: string }[] }>(
      'GET',
      '/v1/projects',
    )
    return projects.map(({ id }) => id)
  } catch (error) {
    if (unsaved && codeOf(error) === 'daemon-missing') return []
    if (codeOf(error) !== 'daemon-missing') throw error
    throw new TidepoolError('not-saved', 'no daemon answers, so nothing can be saved first', {
      cause: error,
      hint: 'Start it (systemctl start tidepool), or say --unsaved: datasets stay in the pool in any case.',
    })
  }
}

/** One that is in use, or cannot be saved, keeps the service. */
async function closeAll(cli: Cli, projects: readonly string[]): Promise<void> {
  const left: string[] = []
  for (const id of projects)
    try {
      await cli.ask('POST', `/v1/projects/${id}/close`)
    } catch (error) {
      cli.signal.throwIfAborted()
      left.push(`${id} (${messageOf(error)})`)
    }
  if (left.length > 0)
    throw new TidepoolError('not-saved', `nothing was removed: ${left.join('; ')}`, {
      hint: 'End what uses them, and try again.',
    })
}

async function isWrittenByUs(path: string): Promise<boolean> {
  return isOurs(await readFile(path, 'utf8').catch(() => ''))
}
