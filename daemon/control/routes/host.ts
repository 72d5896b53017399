/** What can be asked of the host as a whole. */
import { z } from 'zod'
import { nothing, type Route, route } from '../route.ts'
import { statusView } from '../status-view.ts'

const none = z.object({})

export const hostRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/status',
    about: 'This host at a glance: what is open, what is not saved yet, and whether it may act',
    needs: 'read',
    params: none,
    body: nothing,
    run: ({ daemon }) => statusView(daemon),
  }),
  route({
    method: 'GET',
    path: '/v1/health',
    about: 'Answers as long as the daemon does, whatever else fails: a restart would mend nothing',
    needs: 'read',
    params: none,
    body: nothing,
    run: async () => ({ healthy: true }),
  }),
  route({
    method: 'GET',
    path: '/v1/ready',
    about: 'Answers as soon as projects can be opened',
    needs: 'read',
    params: none,
    body: nothing,
    run: async ({ daemon }) => {
      daemon.engine.host.mayAct()
      return { ready: true }
    },
  }),
]
