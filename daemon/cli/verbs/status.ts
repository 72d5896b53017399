/** `status`: this host at a glance, or one project. For monitoring: 0 all is well, 1 a warning, 2 critical. */
import { codeOf } from '../../../pipeline/base/errors.ts'
import { projectId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import type { Cli, Verb } from '../cli.ts'
import { counted, localTime, properties } from '../output.ts'
import { humanDuration } from '../progress.ts'
import { verdictOf } from '../verdict.ts'

interface Status {
  readonly name: string
  readonly host: string
  readonly upMs: number
  readonly mayAct: boolean
  readonly why: string | null
  readonly store: string
  readonly dataset: string
  readonly zfs: string
  readonly pool: {
    readonly health: string
    readonly capacityPercent: number
    readonly usedBytes: string
    readonly availableBytes: string
  }
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
const UNANSWERED = ['daemon-missing', 'daemon-late', 'daemon-left']

export const verb: Verb<[id: string | undefined]> = {
  configure(command) {
    command
      .argument('[id]', 'one project instead of the host')
      .addHelpText(
        'after',
        '\nFor monitoring: 0 all is well, 1 a warning, 2 critical: it may not act, the pool has failed or is full, something is unsaved for 15 minutes, or nobody answers.',
      )
  },

  async run(cli, [text]) {
    if (text !== undefined) return project(cli, text)
    try {
      const status = await cli.ask<Status>('GET', '/v1/status')
      const verdict = verdictOf(status)
      await cli.out.one({ ...status, ...verdict }, () => [
        ...lines(status, cli.clock.wallMs()),
        ...verdict.critical.map((reason) => `critical: ${reason}`),
        ...verdict.warnings.map((reason) => `warning: ${reason}`),
      ])
      return verdict.exit
    } catch (error) {
      if (!UNANSWERED.includes(codeOf(error) ?? '')) throw error
      cli.warn('status', error)
      return NOBODY_ANSWERS
    }
  },
}

function lines(status: Status, nowMs: number): string[] {
  const { pool, failingSaves } = status
  const used = BigInt(pool.usedBytes)
  const total = used + BigInt(pool.availableBytes)
  return [
    ...properties([
      ['host', `${status.name} (${status.host})`],
      ['up', `${humanDuration(status.upMs)}, since ${localTime(nowMs - status.upMs)}`],
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
  const nowMs = cli.clock.wallMs()
  await cli.out.one(status, () =>
    properties([
      ['project', `${id}, ${status.state}`],
      ['owner', status.owner ?? 'nobody'],
      ['head', status.head ?? 'nothing was saved yet'],
      ['quota', status.quotaBytes === null ? 'none' : humanBytes(BigInt(status.quotaBytes))],
      ['open here', here.open ? 'yes' : 'no'],
      ...(here.unsavedMs === null
        ? []
        : [
            [
              'saved up to',
              `${localTime(nowMs - here.unsavedMs)}, ${humanDuration(here.unsavedMs)} ago`,
            ] as const,
          ]),
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
