/** `events`: what has happened on this host, and with --follow what happens, one line an event. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { humanBytes } from '../../../pipeline/base/units.ts'
import type { HostEventView } from '../../client/types.ts'
import type { Verb } from '../cli.ts'
import { localTime, toJson } from '../output.ts'

interface Options {
  readonly follow?: boolean
  readonly project?: string
}

export const verb: Verb<[], Options> = {
  configure(command) {
    command
      .option('--follow', 'go on until Ctrl-C, also over restarts of the daemon')
      .option('--project <id>', 'only of that project')
  },

  async run(cli, _arguments, { follow, project }) {
    const id = project === undefined ? undefined : projectId(project)
    const client = await cli.client()
    const tell = async (events: readonly HostEventView[]): Promise<void> => {
      // That something is missing concerns every project.
      const wanted = events.filter(
        (event) => id === undefined || event.project === id || event.kind === 'gap',
      )
      await cli.out.lines(wanted.map(cli.out.json ? toJson : lineOf))
    }
    const { events } = await client.call<{ events: HostEventView[] }>('GET', '/v1/events/recent', {
      signal: cli.signal,
    })
    await tell(events)
    if (!follow) return
    try {
      for await (const event of client.events({ after: events.at(-1)?.id, signal: cli.signal }))
        await tell([event])
    } catch (error) {
      // Ctrl-C is how it is meant to end.
      if (!cli.signal.aborted) throw error
    }
  },
}

/** What every line has in front, and what is said in words or is for programs alone. */
const NOT_SHOWN = new Set(['id', 'at', 'kind', 'project', 'operation', 'origin', 'code'])

export function lineOf(event: HostEventView): string {
  const facts = Object.entries(event)
    .filter(([name, value]) => !NOT_SHOWN.has(name) && value !== null && value !== false)
    .map(([name, value]) => {
      if (name === 'why') return String(value)
      if (/bytes$/i.test(name)) return `${name}=${humanBytes(BigInt(String(value))).replace(' ', '')}`
      return `${name}=${String(value)}`
    })
  return [localTime(Date.parse(event.at)), event.kind, event.project ?? '-', ...facts]
    .join('  ')
    .replaceAll(/\p{Cc}/gu, ' ')
}
