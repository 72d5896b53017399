/** `top`: what is open, moving and not saved, drawn anew every two seconds until somebody types q; in a pipe once. */
import { LinkedAbort } from '../../../pipeline/base/abort.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import type { Cli, Verb } from '../cli.ts'
import { table } from '../output.ts'
import { humanDuration } from '../progress.ts'

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
const WITHOUT_SIZE = { columns: 80, rows: 24 }
const OTHER_SCREEN = '\u001b[?1049h\u001b[?25l'
const BACK = '\u001b[?25h\u001b[?1049l'
const HOME_AND_CLEAR = '\u001b[H\u001b[J'

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

async function live(cli: Cli): Promise<void> {
  const stdin = cli.surroundings.stdin as NodeJS.ReadStream
  const ended = new LinkedAbort(cli.signal)
  const typed = (key: Buffer): void => {
    // Raw, a terminal sends Ctrl-C as a byte.
    if (['q', 'Q', '\u0003'].includes(key.toString())) ended.abort(new Error('it was ended'))
  }
  if (stdin.isTTY) stdin.setRawMode(true)
  stdin.on('data', typed)
  await cli.out.write(OTHER_SCREEN)
  try {
    while (!ended.signal.aborted) {
      const look = await cli.ask<Look>('GET', '/v1/look')
      const { columns, rows } = { ...WITHOUT_SIZE, ...sizeOf(cli) }
      const shown = lines(look).slice(0, rows - 1)
      await cli.out.write(HOME_AND_CLEAR + shown.map((line) => line.slice(0, columns)).join('\n'))
      await cli.clock.sleep(EVERY_MS, ended.signal).catch(() => {})
    }
  } finally {
    stdin.off('data', typed)
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
    ended.leave()
    await cli.out.write(BACK)
  }
}

function sizeOf(cli: Cli): { readonly columns?: number; readonly rows?: number } {
  const { columns, rows } = cli.surroundings.stdout as { columns?: number; rows?: number }
  return { ...(columns && { columns }), ...(rows && { rows }) }
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
