/** `restore`: mounts an old point of a project beside it, to be read. */

import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { projectId } from '../../../pipeline/base/ids.ts'
import { askLong } from '../ask-long.ts'
import type { Verb } from '../cli.ts'

interface Options {
  readonly at?: string
  readonly remove?: boolean
}

interface Answer {
  readonly point: string
  readonly path: string
}

export const verb: Verb<[id: string, point: string | undefined], Options> = {
  configure(command) {
    command
      .argument('<id>', 'the project')
      .argument('[point]', 'its GUID, as `tidepool history` lists it')
      .option('--at <time>', 'the newest point at or before this time, instead of a GUID: 2026-11-27T10:00')
      .option('--remove', 'unmount and remove what a restore of that point has brought')
  },

  async run(cli, [text, point], { at, remove }) {
    const id = projectId(text)
    if ((point === undefined) === (at === undefined) || (remove && point === undefined))
      throw new TidepoolError('bad-usage', 'a point is meant by its GUID or by --at', {
        hint: `\`tidepool history ${id}\` lists the points.`,
      })
    if (remove) {
      const answer = await cli.ask<{ removed: boolean }>('DELETE', `/v1/projects/${id}/restored/${point}`)
      return cli.out.one(answer, () => [
        answer.removed ? `removed point ${point} of ${id}` : 'there was nothing of it',
      ])
    }
    const which = point === undefined ? { at: momentOf(at as string) } : { point }
    const answer = await askLong<Answer>(cli, 'restore', id, which)
    await cli.out.one(answer, () => [
      answer.path,
      `  point ${answer.point}, read-only; --remove takes it away`,
    ])
  },
}

/** What has no offset is meant in this machine's time. */
function momentOf(text: string): string {
  const ms = Date.parse(text)
  if (!Number.isNaN(ms)) return new Date(ms).toISOString()
  throw new TidepoolError('bad-time', `${JSON.stringify(text)} is no time`, {
    hint: 'Write it as 2026-11-27T10:00, or with its offset: 2026-11-27T10:00+01:00.',
  })
}
