/** `top`: what is open, moving and not saved, drawn anew every two seconds until somebody types q; in a pipe once. */
import { LinkedAbort } from '../../../pipeline/base/abort.ts'
import { messageOf } from '../../../pipeline/base/errors.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import type { Cli, Verb } from '../cli.ts'
import { table } from '../output.ts'
import { humanDuration } from '../progress.ts'
import { Screen } from '../screen.ts'

interface Look {
  readonly status: {
    readonly name: string
    readonly mayAct: boolean
    readonly resident: number
    readonly mounted: number
    readonly pool: { readonly usedBytes: string; readonly availableBytes: string }
  }
  readonly projects: readonly {
    readonly id: string
    readonly mounted: boolean
    readonly usedBytes: string
    readonly atRisk: boolean
    readonly unsavedMs: number | null
    readonly failedSaves: number
    readonly doing: { readonly what: string; readonly forMs: number } | null
  }[]
  readonly unsaved: { readonly count: number; readonly oldestMs: number; readonly bytes: string | null }
}

const EVERY_MS = 2_000

export const verb: Verb<[]> = {
  configure() {},

  async run(cli) {
    const { stdout } = cli.surroundings
    if (!stdout.isTTY || cli.out.json) {
      const look = await cli.ask<Look>('GET', '/v1/look')
      return cli.out.one(look, () => lines(look))
    }
    await live(cli)
  },
}

/** The first look has to succeed. After that a daemon that does not answer is said to be away, over what was seen last. */
async function live(cli: Cli): Promise<void> {
  const client = await cli.client({ restartMs: 0 })
  const ended = new LinkedAbort(cli.signal)
  const { signal } = ended
  const look = (): Promise<Look> => client.call<Look>('GET', '/v1/look', { signal })
  let last = await look()
  let note: string | undefined
  let pause = new LinkedAbort(signal)
  const screen = await Screen.open(cli, {
    end: () => ended.abort(new Error('it was ended')),
    resized: () => pause.abort(new Error('it is drawn at once')),
  })
  try {
    while (!signal.aborted) {
      pause = new LinkedAbort(signal)
      await screen.draw([...(note === undefined ? [] : [note]), ...lines(last)])
      await cli.clock.sleep(EVERY_MS, pause.signal).catch(() => {})
      pause.leave()
      if (signal.aborted) break
      try {
        last = await look()
        note = undefined
      } catch (error) {
        note = `no answer, as it was before: ${messageOf(error)}`
      }
    }
  } finally {
    ended.leave()
    await screen.close()
  }
}

/** What wants to be looked at stands first. */
const rank = ({ failedSaves, atRisk, doing, mounted }: Look['projects'][number]): number =>
  failedSaves > 0 ? 0 : atRisk ? 1 : doing ? 2 : mounted ? 3 : 4

export function lines({ status, projects, unsaved }: Look): string[] {
  const used = BigInt(status.pool.usedBytes)
  const total = used + BigInt(status.pool.availableBytes)
  const unsavedBytes = unsaved.bytes === null ? '' : `, ${humanBytes(BigInt(unsaved.bytes))}`
  return [
    `${status.name}: ${status.mayAct ? 'acts' : 'MAY NOT ACT'}, ${status.mounted} open of ${status.resident}, pool ${humanBytes(used)} of ${humanBytes(total)}`,
    unsaved.count === 0
      ? 'not saved yet: nothing that is known of'
      : `not saved yet: ${unsaved.count}${unsavedBytes}, oldest ${humanDuration(unsaved.oldestMs)}`,
    '',
    ...table(
      [
        { title: 'PROJECT' },
        { title: 'STATE' },
        { title: 'SIZE', align: 'right' },
        { title: 'SAVED UP TO', align: 'right' },
        { title: 'DOING' },
      ],
      projects
        .toSorted((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1))
        .map((one) => [
          // The longest id would fill the line.
          one.id.length > 24 ? `${one.id.slice(0, 23)}…` : one.id,
          ['failing', 'not saved', 'open', 'open', 'resident'][rank(one)] ?? '',
          humanBytes(BigInt(one.usedBytes)),
          one.unsavedMs === null ? 'all' : `${humanDuration(one.unsavedMs)} ago`,
          one.doing ? `${one.doing.what} ${humanDuration(one.doing.forMs)}` : '',
        ]),
    ),
  ]
}
