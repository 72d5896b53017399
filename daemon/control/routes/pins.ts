/** What stays though nobody uses it: points in the store, and projects in this pool. */
import { z } from 'zod'
import { guid } from '../../../pipeline/base/ids.ts'
import { readProject } from '../../../pipeline/graph/settle.ts'
import { unpinPoint } from '../../projects/points.ts'
import { anId, pointGuid, type Route, route } from '../route.ts'
import { projectView } from '../views.ts'

export const pinRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/projects/{id}/unpin',
    about: 'The policy decides about a point again that somebody has pinned; other marks stay',
    needs: 'operate',
    params: anId,
    body: z.strictObject({ point: pointGuid }),
    run: async ({ daemon, params: { id }, body: { point }, signal }) =>
      projectView(await unpinPoint(daemon.engine.host, id, guid(BigInt(point)), { signal })),
  }),
  route({
    method: 'PUT',
    path: '/v1/projects/{id}/stays',
    about: 'Whether it stays in the pool of this host, mounted, however long nobody uses it',
    needs: 'operate',
    params: anId,
    body: z.strictObject({ stays: z.boolean() }),
    run: async ({ daemon: { engine }, params: { id }, body: { stays }, signal }) => {
      if (stays) await readProject(engine.host.store.catalogue, id, { signal })
      await engine.pinned.set(id, stays)
      return { id, stays }
    },
  }),
]
