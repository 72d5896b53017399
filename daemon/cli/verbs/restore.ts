/** `restore`: mounts an old point of a project beside it, to be read; or brings one file or folder of it back. */
import { isAbsolute } from 'node:path'
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../../pipeline/base/ids.ts'
import { askLong } from '../ask-long.ts'
import { bringBack, pathInProject } from '../bring-back.ts'
import type { Cli, Verb } from '../cli.ts'
import { isGuid, momentOf } from '../moments.ts'
import { withPoint } from '../with-point.ts'

interface Options {
  readonly at?: string
  readonly point?: string
  readonly to?: string
  readonly overwrite?: boolean
  readonly remove?: boolean
}

interface Answer {
  readonly point: string
  readonly path: string
}

export const verb: Verb<[id: string, what: string | undefined], Options> = {
  configure(command) {
    command
      .argument('<id>', 'the project')
      .argument(
        '[what]',
        'a point by its GUID, as `tidepool history` lists it; or the path of a file or folder',
      )
      .option(
        '--at <time>',
        'the newest point at or before this time: 2026-11-27T10:00, or 2h for so long ago',
      )
      .option('--point <guid>', 'the point from which a path is taken')
      .option('--to <path>', 'where the file or folder goes; where it was, if left out')
      .option('--overwrite', 'replace a file that is there now')
      .option('--remove', 'unmount and remove what a restore of that point has brought')
  },

  async run(cli, [text, what], options) {
    const id = projectId(text)
    const isPath =
      what !== undefined && (options.at !== undefined || options.point !== undefined || !isGuid(what))
    const point = isPath ? options.point : (what ?? options.point)
    if ((point === undefined) === (options.at === undefined))
      throw badUsage(id, 'a point is meant by its GUID or by --at')
    if (options.remove) {
      if (point === undefined || isPath) throw badUsage(id, '--remove takes a point by its GUID')
      return remove(cli, id, point)
    }
    const which = point === undefined ? { at: momentOf(options.at as string) } : { point }
    if (isPath) return onePath(cli, id, what, which, options)
    const answer = await askLong<Answer>(cli, 'restore', id, which)
    await cli.out.one(answer, () => [
      answer.path,
      `  point ${answer.point}, read-only; --remove takes it away`,
    ])
  },
}

async function remove(cli: Cli, id: ProjectId, point: string): Promise<void> {
  const answer = await cli.ask<{ removed: boolean }>('DELETE', `/v1/projects/${id}/restored/${point}`)
  await cli.out.one(answer, () => [
    answer.removed ? `removed point ${point} of ${id}` : 'there was nothing of it',
  ])
}

async function onePath(
  cli: Cli,
  id: ProjectId,
  text: string,
  which: object,
  { to, overwrite }: Options,
): Promise<void> {
  // A wrong one opens nothing; whether it is within the project, only where that is tells.
  if (!isAbsolute(text)) pathInProject(text, [])
  const live = await cli.ask<{ path: string; realPath: string }>('POST', `/v1/projects/${id}/open`)
  const path = pathInProject(text, [live.path, live.realPath])
  await withPoint(cli, id, which, async ({ point, path: from }) => {
    const target = await bringBack({
      from,
      into: live.realPath,
      path,
      to,
      overwrite: overwrite === true,
      signal: cli.signal,
    })
    await cli.out.one({ id, point, path, restoredTo: target }, () => [
      `brought ${path} of point ${point} back to ${target}`,
    ])
  })
}

const badUsage = (id: ProjectId, why: string): TidepoolError =>
  new TidepoolError('bad-usage', why, { hint: `\`tidepool history ${id}\` lists the points.` })
