/** What the owner of a project may ask to help himself: why it is as it is, what it was, what has changed. */
import { z } from 'zod'
import { guid } from '../../../pipeline/base/ids.ts'
import { textOfName } from '../../../pipeline/base/text.ts'
import { changesSince } from '../../projects/changes.ts'
import { statesOf } from '../../projects/snapshots.ts'
import { anId, nothing, pointGuid, type Route, route } from '../route.ts'
import { utc } from '../views.ts'
import { whySo } from '../why.ts'

export const lookRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/projects/{id}/why',
    about: 'Why it is as it is: what is wrong first, each with what helps',
    needs: 'read',
    owner: true,
    params: anId,
    body: nothing,
    run: async ({ daemon, params: { id }, signal }) => ({
      id,
      path: daemon.pathOf(id),
      findings: await whySo(daemon, id, { signal }),
    }),
  }),
  route({
    method: 'GET',
    path: '/v1/projects/{id}/snapshots',
    about:
      'Each state that can be looked into, newest first: points of the store, and snapshots of this pool alone',
    needs: 'read',
    owner: true,
    params: anId,
    body: nothing,
    run: async ({ daemon: { engine }, params: { id }, signal }) => ({
      id,
      snapshots: (await statesOf(engine.host, id, { signal })).map(({ atMs, ...state }) => ({
        ...state,
        at: utc(atMs),
      })),
    }),
  }),
  route({
    method: 'POST',
    path: '/v1/projects/{id}/changes',
    about:
      'What has changed since a point, where this ZFS has it in its pool; elsewhere `no-diff`: restore it, and compare',
    needs: 'operate',
    owner: true,
    params: anId,
    body: z.union([
      z.strictObject({ point: pointGuid }),
      z.strictObject({ since: z.iso.datetime({ offset: true }) }),
    ]),
    run: async ({ daemon: { engine }, params: { id }, body, signal }) => {
      const which = 'point' in body ? { guid: guid(BigInt(body.point)) } : { atMs: Date.parse(body.since) }
      const { point, entries, truncated } = await changesSince(engine.host, id, which, { signal })
      return {
        id,
        point,
        truncated,
        changes: entries.map(({ path, from, ...entry }) => ({
          ...entry,
          path: textOfName(path),
          ...(from && { from: textOfName(from) }),
        })),
      }
    },
  }),
]
