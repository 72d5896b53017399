/** The points of a project: made, listed, kept, brought back. */
import { z } from 'zod'
import { guid, type HostId } from '../../../pipeline/base/ids.ts'
import { readProject } from '../../../pipeline/graph/settle.ts'
import type { CallOptions, Catalogue } from '../../../pipeline/stores/contract.ts'
import { type HistoryPoint, historyOf } from '../../projects/history.ts'
import { acknowledge, pinPoint } from '../../projects/points.ts'
import { anId, nothing, pointGuid, type Route, route } from '../route.ts'
import { pointView, projectView } from '../views.ts'

export const pointRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/projects/{id}/snapshot',
    about: 'Make a point of what it is now',
    needs: 'operate',
    owner: true,
    params: anId,
    body: z.strictObject({ local: z.boolean().default(false) }).prefault({}),
    run: async ({ daemon, params: { id }, body: { local }, signal }) => ({
      id,
      point: await daemon.engine.snapshot(id, { local, signal }),
    }),
  }),
  route({
    method: 'GET',
    path: '/v1/projects/{id}/history',
    about: 'Each point that it can be brought back to, newest first',
    needs: 'read',
    owner: true,
    params: anId,
    body: nothing,
    run: async ({ daemon: { engine }, params: { id }, signal }) => {
      const project = await readProject(engine.host.store.catalogue, id, { signal })
      const points = historyOf(project, engine.host.settings.retention)
      const names = await hostNames(engine.host.store.catalogue, points, { signal })
      return { id, points: points.map((point) => pointView(point, names)) }
    },
  }),
  route({
    method: 'POST',
    path: '/v1/projects/{id}/rollback',
    about: 'Make an older point its state; what it is now stays a point until it is acknowledged',
    needs: 'admin',
    verb: 'rollback',
    long: true,
    audit: 'required',
    params: anId,
    body: z.strictObject({ point: pointGuid }),
    run: async ({ daemon, params: { id }, body: { point }, signal, onProgress }) => {
      const { project, path } = await daemon.engine.rollBack(id, guid(BigInt(point)), { signal, onProgress })
      return { ...projectView(project), path: daemon.pathOf(id), realPath: path }
    },
  }),
  route({
    method: 'POST',
    path: '/v1/projects/{id}/restore',
    about: 'Mount an old point beside it, read-only: by its GUID, or the newest at or before a time',
    needs: 'operate',
    owner: true,
    verb: 'restore',
    long: true,
    audit: 'noted',
    params: anId,
    body: z.union([
      z.strictObject({ point: pointGuid }),
      z.strictObject({ at: z.iso.datetime({ offset: true }) }),
    ]),
    run: async ({ daemon, params: { id }, body, signal, onProgress }) => {
      const which = 'point' in body ? { guid: guid(BigInt(body.point)) } : { atMs: Date.parse(body.at) }
      const { path, point, isNew } = await daemon.engine.restorePoint(id, which, { signal, onProgress })
      return { id, point, path, isNew }
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/projects/{id}/restored/{point}',
    about: 'Unmount and remove what a restore has brought',
    needs: 'operate',
    owner: true,
    params: anId.extend({ point: pointGuid }),
    body: nothing,
    run: async ({ daemon, params: { id, point }, signal }) => ({
      id,
      removed: await daemon.engine.removeRestored(id, guid(BigInt(point)), { signal }),
    }),
  }),
  route({
    method: 'POST',
    path: '/v1/projects/{id}/pin',
    about: 'Keep a point whatever the policy says',
    needs: 'operate',
    params: anId,
    body: z.strictObject({ point: pointGuid }),
    run: async ({ daemon, params: { id }, body: { point }, signal }) =>
      projectView(await pinPoint(daemon.engine.host, id, guid(BigInt(point)), { signal })),
  }),
  route({
    method: 'POST',
    path: '/v1/projects/{id}/acknowledge',
    about: 'From now on the policy alone decides about these points: pins, side points, what a rollback left',
    needs: 'admin',
    params: anId,
    body: z.strictObject({ points: z.array(pointGuid).min(1).max(1000) }),
    run: async ({ daemon, params: { id }, body: { points }, signal }) =>
      projectView(
        await acknowledge(
          daemon.engine.host,
          id,
          points.map((point) => guid(BigInt(point))),
          { signal },
        ),
      ),
  }),
]

/** As they call themselves now; what a host wrote stays when its row has gone. */
async function hostNames(
  catalogue: Catalogue,
  points: readonly HistoryPoint[],
  options: CallOptions,
): Promise<Map<HostId, string>> {
  const names = new Map<HostId, string>()
  for (const host of new Set(points.map((point) => point.host))) {
    const row = await catalogue.readHost(host, options)
    if (row) names.set(host, row.name)
  }
  return names
}
