/** `status`: this host at a glance, or one project. For monitoring: 0 all is well, 1 a warning, 2 critical. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { codeOf, errnoOf, TidepoolError } from '../../../pipeline/base/errors.ts'
import { projectId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import { STAYS_IN_WORDS, type WhyStays } from '../../projects/residency.ts'
import type { Cli, Verb } from '../cli.ts'
import { counted, localTime, properties } from '../output.ts'
import { humanDuration } from '../progress.ts'
import { verdictOf } from '../verdict.ts'

interface Diverged {
  readonly text: string
  readonly since: string
  readonly because: string | null
}

interface Stuck {
  readonly pid: number
  readonly command: string
  readonly since: string
}

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
  readonly unsaved: { readonly count: number; readonly bytes: string | null; readonly oldestMs: number }
  readonly slowSaves: readonly { readonly id: string; readonly forMs: number }[]
  readonly failingSaves: readonly { readonly id: string; readonly why: string }[]
  readonly busy: readonly string[]
  readonly auditLost: number
  readonly leftUnsaved: readonly { readonly id: string; readonly why: string }[]
  readonly diverged: readonly Diverged[]
  readonly asks: readonly { readonly id: string; readonly ownerName: string; readonly command: string }[]
  readonly cannotReceive: readonly string[]
  readonly readOnly: readonly { readonly id: string; readonly complete: boolean }[]
  readonly readOnlyFailed: string | null
  readonly stuck: readonly Stuck[]
  readonly leftByStart: readonly { readonly what: string; readonly because: string }[]
  readonly beside: {
    readonly aside: readonly { readonly name: string; readonly why: string | null }[]
    readonly renamed: readonly { readonly id: string; readonly name: string }[]
    readonly unknown: readonly { readonly name: string; readonly why: string }[]
  }
  readonly drain: {
    readonly since: string
    readonly done: boolean
    readonly evicted: number
    readonly left: readonly { readonly id: string; readonly because: string | null }[]
  } | null
}

interface Usage {
  readonly referencedBytes: string | null
  readonly usedBytes: string | null
  readonly logicalBytes: string | null
  readonly storeBytes: string
}

interface ProjectStatus {
  readonly id: string
  readonly state: string
  readonly owner: string | null
  readonly ownerName: string | null
  readonly head: string | null
  readonly quotaBytes: string | null
  readonly properties?: Readonly<Record<string, string>>
  /** Not told by a daemon of an earlier version, like the two below. */
  readonly usage?: Usage
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
    readonly diverged?: Diverged | null
    readonly quarantined?: Stuck | null
    readonly mountedBecause: WhyStays | null
    readonly staysBecause: WhyStays | null
    readonly holders: readonly { readonly pid: number; readonly command: string; readonly path: string }[]
  }
}

type Untold =
  | 'diverged'
  | 'asks'
  | 'cannotReceive'
  | 'readOnly'
  | 'readOnlyFailed'
  | 'stuck'
  | 'leftByStart'
  | 'beside'

/** Of what a daemon of an earlier version, which runs until its restart, does not tell. */
const UNTOLD: Pick<Status, Untold> = {
  diverged: [],
  asks: [],
  cannotReceive: [],
  readOnly: [],
  readOnlyFailed: null,
  stuck: [],
  leftByStart: [],
  beside: { aside: [], renamed: [], unknown: [] },
}

const LOOK_AT_IT = 1
const NOBODY_ANSWERS = 2
const UNANSWERED = ['daemon-missing', 'daemon-late', 'daemon-left']
/** Of the ZFS, without which a daemon can tell nothing of its pool. */
const isCritical = (code: string): boolean =>
  UNANSWERED.includes(code) || code === 'no-daemon' || /^(zfs|pool)-/.test(code)

export const verb: Verb<[id: string | undefined], { readonly web?: boolean }> = {
  configure(command) {
    command
      .argument('[id]', 'one project instead of the host')
      .option('--web', 'print the link to the status page')
      .addHelpText(
        'after',
        '\nFor monitoring: 0 all is well, 1 a warning, 2 critical: it may not act, the pool has failed or is full, something is unsaved for 15 minutes, or nobody answers.',
      )
  },

  async run(cli, [text], { web }) {
    if (web) return pageLink(cli)
    if (text !== undefined) return project(cli, text)
    try {
      const status = { ...UNTOLD, ...(await cli.ask<Status>('GET', '/v1/status')) }
      const verdict = verdictOf(status)
      await cli.out.one({ ...status, ...verdict }, () => [
        ...lines(status, cli.clock.wallMs()),
        ...verdict.critical.map((reason) => `critical: ${reason}`),
        ...verdict.warnings.map((reason) => `warning: ${reason}`),
      ])
      return verdict.exit
    } catch (error) {
      if (!isCritical(codeOf(error) ?? '')) throw error
      cli.warn('status', error)
      return NOBODY_ANSWERS
    }
  },
}

/** Beside the socket, where only root may read it: the link has the secret of the page. */
async function pageLink(cli: Cli): Promise<number> {
  if (cli.socket === undefined)
    throw new TidepoolError('no-page', 'the status page is for people on its own machine', {
      hint: 'Ask there, without --url; `ssh -L PORT:127.0.0.1:PORT HOST` brings it here.',
    })
  // A daemon that was killed leaves its link behind. One that may not act answers this as well.
  await cli.ask('GET', '/v1/health')
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

function lines(status: Status, nowMs: number): string[] {
  const { pool, failingSaves, leftUnsaved } = status
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
      ['not saved yet', notSavedYet(status)],
      ['busy', status.busy.length === 0 ? 'nothing' : status.busy.slice(0, 5).join(', ')],
    ]),
    ...(status.auditLost > 0
      ? [`${status.auditLost} entries of the audit log could not be written: see whether its disk is full`]
      : []),
    ...status.slowSaves.map(({ id, forMs }) => `a save of ${id} takes ${humanDuration(forMs)} already`),
    ...drainLines(status),
    ...(leftUnsaved.length > 0 ? ['not saved when this host went down, nor since:'] : []),
    ...leftUnsaved.slice(0, 20).map(({ id, why }) => `  ${id}: ${why}`),
    ...(failingSaves.length > 0 ? [`${counted(failingSaves.length, 'project')} could not be saved:`] : []),
    ...failingSaves.slice(0, 20).map(({ id, why }) => `  ${id}: ${why}`),
    ...besideLines(status),
  ]
}

/** What is not as a project should be, each with what helps or why it is so. */
function besideLines({ diverged, readOnly, asks, stuck, leftByStart, beside }: Status): string[] {
  const { aside, renamed, unknown } = beside
  const listed = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [title, ...lines.slice(0, 20).map((line) => `  ${line}`)]
  return [
    ...listed('left alone, for a command of ZFS that cannot be ended (see dmesg and zpool status):', [
      ...stuck.map(({ pid, command, since }) => `${command} (${pid}), since ${localTime(Date.parse(since))}`),
    ]),
    ...listed(
      'open here, and not what the store calls the project any more; set aside once nobody is in it:',
      [...diverged.map(({ text, because }) => (because === null ? text : `${text} (${because})`))],
    ),
    ...listed('read-only, until this host is back and they are its own still:', [
      ...readOnly.map(({ id, complete }) =>
        complete ? id : `${id}, but for files that were open for writing when it began`,
      ),
    ]),
    ...listed('wanted here, of a host that is silent; if that machine is off for good:', [
      ...asks.map(({ id, ownerName, command }) => `${id} of ${ownerName}: ${command}`),
    ]),
    ...listed('set aside, and never destroyed by itself:', [
      ...aside.map(({ name, why }) => `${name}: ${why ?? 'why is not known'}`),
    ]),
    ...listed('projects under other names than their own:', [
      ...renamed.map(({ id, name }) => `${name} is ${id}: zfs rename ${name} ${properName(name, id)}`),
    ]),
    ...listed('not ours, and left alone:', [...unknown.map(({ name, why }) => `${name}: ${why}`)]),
    ...listed('not done by the start, the next one tries again:', [
      ...leftByStart.map(({ what, because }) => `${what}: ${because}`),
    ]),
  ]
}

const properName = (name: string, id: string): string => `${name.slice(0, name.lastIndexOf('/'))}/${id}`

function notSavedYet({ unsaved: { count, bytes, oldestMs } }: Status): string {
  if (count === 0) return 'nothing'
  const size = bytes === null ? [] : [humanBytes(BigInt(bytes))]
  return [counted(count, 'project'), ...size, `at most the last ${humanDuration(oldestMs)}`].join(', ')
}

function drainLines({ drain }: Status): string[] {
  if (!drain) return []
  if (drain.done)
    return ['drained: nothing is left in the pool, and nothing is opened until `tidepool undrain`']
  const stuck = drain.left.filter(({ because }) => because !== null)
  return [
    `draining: ${counted(drain.evicted, 'project')} left the pool, ${drain.left.length} to go`,
    ...stuck.slice(0, 20).map(({ id, because }) => `  ${id}: ${because}`),
  ]
}

const hostOf = ({ owner, ownerName }: ProjectStatus): string =>
  owner === null ? 'none has it' : ownerName === null ? owner : `${ownerName} (${owner})`

const because = (what: string, why: WhyStays | null): (readonly [string, string])[] =>
  why === null ? [] : [[what, `because ${STAYS_IN_WORDS[why]}`]]

async function project(cli: Cli, text: string): Promise<number> {
  const id = projectId(text)
  const status = await cli.ask<ProjectStatus>('GET', `/v1/projects/${id}`)
  const { here } = status
  const nowMs = cli.clock.wallMs()
  await cli.out.one(status, () =>
    properties([
      ['project', `${id}, ${status.state}`],
      ['host', hostOf(status)],
      ['head', status.head ?? 'nothing was saved yet'],
      ['quota', status.quotaBytes === null ? 'none' : humanBytes(BigInt(status.quotaBytes))],
      ...Object.entries(status.properties ?? {}),
      ...(status.usage ? [['takes', takes(status.usage)] as const] : []),
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
      ...because('mounted', here.mountedBecause),
      ...because('in the pool', here.staysBecause),
      ...here.holders.map(
        ({ pid, command, path }) => ['held by', `${command} (${pid}) with ${path}`] as const,
      ),
      ...(here.diverged ? [['diverged', here.diverged.text] as const] : []),
      ...(here.quarantined
        ? [
            [
              'left alone',
              `for \`${here.quarantined.command}\` (${here.quarantined.pid}), which cannot be ended`,
            ] as const,
          ]
        : []),
      ...(here.lastError === null ? [] : [['last error', here.lastError] as const]),
    ]),
  )
  return here.failedSaves > 0 || here.diverged || here.quarantined ? LOOK_AT_IT : 0
}

/** As of the last save. */
function takes({ referencedBytes, usedBytes, logicalBytes, storeBytes }: Usage): string {
  const size = (text: string): string => humanBytes(BigInt(text))
  return [
    ...(referencedBytes === null ? [] : [size(referencedBytes)]),
    ...(usedBytes === null ? [] : [`${size(usedBytes)} with its snapshots`]),
    ...(logicalBytes === null ? [] : [`${size(logicalBytes)} uncompressed`]),
    `${size(storeBytes)} in the store`,
  ].join(', ')
}
