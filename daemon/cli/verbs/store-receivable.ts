/** `store receivable`: which stream features every host of the store can receive; shown, or changed with what that would refuse. */
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import type { HostId } from '../../../pipeline/base/ids.ts'
import { type StreamsBeyond, streamsBeyond } from '../../../pipeline/graph/streams-beyond.ts'
import { isPassing } from '../../../pipeline/hosts/passing.ts'
import { receivesOf } from '../../../pipeline/hosts/receives.ts'
import type { HostState } from '../../../pipeline/hosts/state.ts'
import type { CallOptions, Catalogue, StoreInfo } from '../../../pipeline/stores/contract.ts'
import { receivableFrom } from '../../../pipeline/stream/features.ts'
import type { Verb } from '../cli.ts'
import { counted, properties, table } from '../output.ts'
import { receivableText } from '../receivable-text.ts'

type Receivable = StoreInfo['receivable']

interface Options {
  readonly apply?: boolean
  readonly force?: boolean
}

interface Host {
  readonly host: HostId
  readonly name: string
  readonly state: HostState
  /** Null where it has not said so. */
  readonly receives: readonly string[] | null
  /** What is wanted, and it can't receive. */
  readonly lacks: readonly string[]
}

export const verb: Verb<[features: string | undefined], Options> = {
  configure(command) {
    command
      .argument('[features]', 'those alone from now on (a,b,c), `none`, or `any`: nothing is refused')
      .option('--apply', 'change it; without, only what would be is told')
      .option('--force', 'although a host or a stored stream is shut out by it')
      .addHelpText(
        'after',
        '\nTake a feature in once every host can receive it. Streams with others are refused; none that is stored is removed.',
      )
  },

  async run(cli, [text], { apply = false, force = false }) {
    const wanted = text === undefined ? undefined : receivableFrom(text)
    await cli.withStore(async ({ store: { catalogue } }) => {
      const options = { signal: cli.signal }
      const before = (await catalogue.info(options)).receivable
      const after = wanted === undefined ? before : wanted
      const hosts = await hostsOf(catalogue, after ?? [], options)
      const streams = narrows(before, after) ? await streamsBeyond(catalogue, after ?? [], options) : NONE
      const refusal = refusalOf(hosts, added(before, after), streams)
      const isChange = wanted !== undefined && !isSame(before, after)
      const applied = apply && isChange
      if (applied && refusal && !force) throw refusal
      if (applied) await catalogue.setReceivable(after, options)
      await cli.out.one({ before, after, applied, hosts, streams }, () => [
        ...properties([
          ['receivable', receivableText(before)],
          ...(isChange ? [[applied ? 'now' : 'would be', receivableText(after)] as const] : []),
        ]),
        ...(hosts.length === 0 ? [] : ['', ...hostTable(hosts)]),
        ...(isChange && refusal ? ['', `${refusal.message}${applied ? '' : '; --apply is refused'}`] : []),
        ...(isChange && !apply ? ['', 'nothing was changed: --apply does it'] : []),
      ])
    })
  },
}

const NONE: StreamsBeyond = { count: 0, features: [], projects: [] }

/** Whether what was allowed before is not any more. */
const narrows = (before: Receivable, after: Receivable): boolean =>
  after !== null && (before === null || before.some((feature) => !after.includes(feature)))

const isSame = (before: Receivable, after: Receivable): boolean =>
  before === null || after === null
    ? before === after
    : before.length === after.length && after.every((feature) => before.includes(feature))

/** Those that come back, in the order of their names: an ended or a passing one receives nothing. */
async function hostsOf(
  catalogue: Catalogue,
  wanted: readonly string[],
  options: CallOptions,
): Promise<Host[]> {
  const hosts: Host[] = []
  for await (const row of catalogue.hosts(options)) {
    if (row.state === 'ended' || isPassing(row)) continue
    const receives = (await receivesOf(catalogue, row.host, options)) ?? null
    const lacks = receives ? wanted.filter((feature) => !receives.includes(feature)) : []
    hosts.push({ host: row.host, name: row.name, state: row.state, receives, lacks })
  }
  return hosts.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** What is let in that was refused before. */
const added = (before: Receivable, after: Receivable): readonly string[] =>
  before === null || after === null ? [] : after.filter((feature) => !before.includes(feature))

/** Of hosts only those that live: a dead one is told at its start, should it come back. */
function refusalOf(
  hosts: readonly Host[],
  news: readonly string[],
  streams: StreamsBeyond,
): TidepoolError | undefined {
  const shutOut = hosts.flatMap(({ host, name, state, lacks }) => {
    const missing = lacks.filter((feature) => news.includes(feature))
    return state === 'live' && missing.length > 0 ? [{ host, name, missing }] : []
  })
  if (shutOut.length > 0)
    return new TidepoolError(
      'hosts-cannot-receive',
      shutOut
        .map(({ name, host, missing }) => `host ${name} (${host}) can't receive ${missing.join(', ')}`)
        .join('; '),
      {
        hint: 'Bring its ZFS and its pool up first (`zpool upgrade`), or say --force: it could not open what is saved with them.',
        facts: { hosts: shutOut.map(({ host }) => host) },
      },
    )
  if (streams.count === 0) return undefined
  const { count, features, projects } = streams
  const some = projects.slice(0, 5).join(', ')
  const more = projects.length > 5 ? ` and ${projects.length - 5} more` : ''
  return new TidepoolError(
    'streams-not-receivable',
    `${counted(count, 'stored stream')} of ${some}${more} ${count === 1 ? 'uses' : 'use'} ${features.join(', ')}`,
    {
      hint: 'Say --force where hosts without them need not open those projects: what is stored stays as it is.',
      facts: { ...streams },
    },
  )
}

function hostTable(hosts: readonly Host[]): string[] {
  return table(
    [{ title: 'HOST' }, { title: 'NAME' }, { title: 'STATE' }, { title: 'CAN RECEIVE' }, { title: 'LACKS' }],
    hosts.map(({ host, name, state, receives, lacks }) => [
      host,
      name,
      state,
      receives === null ? 'has not said' : receives.join(',') || 'none',
      lacks.join(','),
    ]),
  )
}
