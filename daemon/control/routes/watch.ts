/** For whoever looks on: everything of a moment, the last hour, the graph of a project, and metrics for Prometheus. */
import { z } from 'zod'
import { cheapestPaths } from '../../../pipeline/graph/plan.ts'
import { readProject } from '../../../pipeline/graph/settle.ts'
import { lookView } from '../../watch/view.ts'
import { anId, nothing, type Route, route } from '../route.ts'

const none = z.object({})

export const watchRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/look',
    about: 'All that the status page shows of this moment',
    needs: 'read',
    params: none,
    body: nothing,
    run: async ({ daemon }) => lookView(daemon),
  }),
  route({
    method: 'GET',
    path: '/v1/recent',
    about: 'Samples of the last hour, oldest first: bytes moved since the start, open times, pool space',
    needs: 'read',
    params: none,
    body: nothing,
    run: async ({ daemon }) => ({ samples: daemon.watch.samples }),
  }),
  route({
    method: 'GET',
    path: '/v1/metrics',
    about: 'Metrics in the text format of Prometheus',
    needs: 'read',
    params: none,
    body: nothing,
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    run: async ({ daemon }) => ({ text: await daemon.metrics.text(daemon) }),
  }),
  route({
    method: 'GET',
    path: '/v1/projects/{id}/graph',
    about: 'The points of a project and the streams that lead to them, oldest first',
    needs: 'read',
    params: anId,
    body: nothing,
    run: async ({ daemon: { engine }, params: { id }, signal }) => {
      const { rows, statics } = await readProject(engine.host.store.catalogue, id, { signal })
      const paths = cheapestPaths(rows.values())
      const streams = [...rows.values()]
        .filter((row) => row.state === 'committed' && paths.reaches(row.to))
        .map((row) => ({
          from: row.from,
          to: row.to,
          atMs: row.manifest?.stream.createdAtMs ?? row.begunAtMs,
          bytes: row.manifest?.bytes ?? null,
          isHead: row.to === statics.head,
          kept: statics.kept[row.to] ?? null,
        }))
        .sort((a, b) => a.atMs - b.atMs)
      return { id, head: statics.head, properties: statics.properties, streams }
    },
  }),
]
