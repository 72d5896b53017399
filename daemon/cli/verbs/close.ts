/** `close`: saves a project, unmounts it, and lets other hosts have it. */
import { projectId } from '../../../pipeline/base/ids.ts'
import { askLong } from '../ask-long.ts'
import type { Verb } from '../cli.ts'
import { parseDuration } from '../units.ts'

interface Options {
  readonly kill?: boolean
  readonly grace: string
}

interface Held {
  readonly holders: readonly {
    readonly pid: number
    readonly uid: number | null
    readonly command: string
    readonly how: string
    readonly path: string
  }[]
}

interface Answer {
  readonly id: string
  readonly ended?: readonly unknown[]
}

export const verb: Verb<[id: string], Options> = {
  configure(command) {
    command
      .argument('<id>', 'the project')
      .option('--kill', 'end the processes that are in it first')
      .option('--grace <duration>', 'from SIGTERM to SIGKILL', '10s')
  },

  async run(cli, [text], { kill = false, grace }) {
    const id = projectId(text)
    const graceMs = parseDuration(grace)
    if (kill) {
      const { holders } = await cli.ask<Held>('GET', `/v1/projects/${id}/holders`)
      for (const { pid, uid, command, how, path } of holders)
        cli.say(`ending ${command} (pid ${pid}, uid ${uid ?? '?'}): ${how} ${path}`)
    }
    const answer = kill
      ? await cli.ask<Answer>('POST', `/v1/projects/${id}/kill-and-close`, { graceMs })
      : await askLong<Answer>(cli, 'close', id)
    const ended = answer.ended?.length ?? 0
    await cli.out.one(answer, () => [
      ended > 0
        ? `ended ${ended === 1 ? 'a process' : `${ended} processes`} in it, closed ${id}`
        : `closed ${id}`,
    ])
  },
}
