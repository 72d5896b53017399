/** `status`: this host at a glance, or one project. For monitoring: 0 all is well, 1 look at it, 2 nobody answers. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { codeOf, errnoOf, TidepoolError } from '../../../pipeline/base/errors.ts'
import { projectId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import type { Cli, Verb } from '../cli.ts'
import { counted, properties } from '../output.ts'
import { humanDuration } from '../progress.ts'

interface Status {
  readonly name: string
  readonly host: string
  readonly upMs: number
  readonly mayAct: boolean
  readonly why: string | null
  readonly store: string
  readonly dataset: string
  readonly zfs: string
  readonly pool: { readonly health: string; readonly usedBytes: string; readonly availableBytes: string }
  readonly resident: number
  readonly open: number
  readonly longestUnsavedMs: number
  readonly failingSaves: readonly { readonly id: string; readonly why: string }[]
  readonly busy: readonly string[]
}

interface ProjectStatus {
  readonly id: string
  readonly state: string
  readonly owner: string | null
  readonly head: string | null
  readonly quotaBytes: string | null
  readonly here: {
    readonly open: boolean
    readonly doing: {
      readonly what: string
      readonly forMs: number
      readonly waiting: readonly string[]
    } | null
    readonly unsavedMs: number | null
    readonly nextSaveInMs: number | null
    readonly failedSaves: number
    readonly lastError: string | null
  }
}

const LOOK_AT_IT = 1
const NOBODY_ANSWERS = 2

export const verb: Verb<[id: string | undefined], { readonly web?: boolean }> = {
  configure(command) {
    command
      .argument('[id]', 'one project instead of the host')
      .option('--web', 'print the link to the status page')
      .addHelpText(
        'after',
        '\nFor monitoring: 0 all is well, 1 something wants to be looked at, 2 nobody answers.',
      )
  },

  async run(cli, [text], { web }) {
    if (web) return pageLink(cli)
    if (text !== undefined) return project(cli, text)
    try {
      const status = await cli.ask<Status>('GET', '/v1/status')
      await cli.out.one(status, () => lines(status))
      const well = status.mayAct && status.failingSaves.length === 0 && status.pool.health === 'ONLINE'
      return well ? 0 : LOOK_AT_IT
    } catch (error) {
      if (codeOf(error) !== 'daemon-missing') throw error
      cli.warn('status', error)
      return NOBODY_ANSWERS
    }
  },
}

/** Beside the socket, where only root may read it: the link has the secret of the page. */
async function pageLink(cli: Cli): Promise<number> {
  await cli.ask('GET', '/v1/ready')
  const file = join(dirname(cli.socket), 'page.link')
  try {
    const link = (await readFile(file, 'utf8')).trim()
    await cli.out.one({ link }, () => [link])
    return 0
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
    throw new TidepoolError('no-page', 'this daemon serves no status page', {
      cause,
      hint: 'Name its port in the configuration, such as `page: {port: 4747}`, and start the daemon again.',
    })
  }
}

function lines(status: Status): string[] {
  const { pool, failingSaves } = status
  const used = BigInt(pool.usedBytes)
  const total = used + BigInt(pool.availableBytes)
  return [
    ...properties([
      ['host', `${status.name} (${status.host}), up ${humanDuration(status.upMs)}`],
      ['acts', status.mayAct ? 'yes' : `no: ${status.why}`],
      ['store', status.store],
      [
        'pool',
        `${status.dataset}, ${pool.health}, ${humanBytes(used)} of ${humanBytes(total)} used, ZFS ${status.zfs}`,
      ],
      ['projects', `${status.resident} in the pool, ${status.open} open`],
      [
        'not saved yet',
        status.open === 0 ? 'nothing' : `at most the last ${humanDuration(status.longestUnsavedMs)}`,
      ],
      ['busy', status.busy.length === 0 ? 'nothing' : status.busy.slice(0, 5).join(', ')],
    ]),
    ...(failingSaves.length > 0 ? [`${counted(failingSaves.length, 'project')} could not be saved:`] : []),
    ...failingSaves.slice(0, 20).map(({ id, why }) => `  ${id}: ${why}`),
  ]
}

async function project(cli: Cli, text: string): Promise<number> {
  const id = projectId(text)
  const status = await cli.ask<ProjectStatus>('GET', `/v1/projects/${id}`)
  const { here } = status
  await cli.out.one(status, () =>
    properties([
      ['project', `${id}, ${status.state}`],
      ['owner', status.owner ?? 'nobody'],
      ['head', status.head ?? 'nothing was saved yet'],
      ['quota', status.quotaBytes === null ? 'none' : humanBytes(BigInt(status.quotaBytes))],
      ['open here', here.open ? 'yes' : 'no'],
      ...(here.unsavedMs === null ? [] : [['saved up to', `${humanDuration(here.unsavedMs)} ago`] as const]),
      ...(here.nextSaveInMs === null
        ? []
        : [['next save', `in ${humanDuration(here.nextSaveInMs)}`] as const]),
      ...(here.doing
        ? [['doing', `${here.doing.what} for ${humanDuration(here.doing.forMs)}`] as const]
        : []),
      ...(here.lastError === null ? [] : [['last error', here.lastError] as const]),
    ]),
  )
  return here.failedSaves > 0 ? LOOK_AT_IT : 0
}
