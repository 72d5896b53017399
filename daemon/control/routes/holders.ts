/** Who is in a project, and how it is closed all the same. For operators alone: a project's owner ends nobody by our hand. */
import { z } from 'zod'
import { holders } from '../../../native/mount/holders.ts'
import { mountPointOf } from '../../projects/mount-point.ts'
import { anId, nothing, type Route, route } from '../route.ts'
import { projectView } from '../views.ts'

export const holderRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/projects/{id}/holders',
    about: 'The processes that are in it here',
    needs: 'read',
    params: anId,
    body: nothing,
    run: async ({ daemon, params: { id } }) => ({
      id,
      holders: await holders(mountPointOf(daemon.engine.host, id), { max: 1000 }),
    }),
  }),
  route({
    method: 'POST',
    path: '/v1/projects/{id}/kill-and-close',
    about: 'End the processes that are in it, with SIGTERM and after a grace with SIGKILL, then close it',
    needs: 'admin',
    verb: 'kill-and-close',
    audit: 'noted',
    params: anId,
    body: z.strictObject({ graceMs: z.int().min(0).max(600_000).optional() }).default({}),
    run: async ({ daemon, params: { id }, body, signal }) => {
      const { project, ended } = await daemon.engine.killAndClose(id, {
        signal,
        ...(body.graceMs !== undefined && { graceMs: body.graceMs }),
      })
      return { ...projectView(project), ended }
    },
  }),
]
