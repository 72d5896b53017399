/** Emptying this host, for good or until it is wanted again. */
import { z } from 'zod'
import { nothing, type Route, route } from '../route.ts'
import { drainView } from '../views.ts'

const none = z.object({})

export const drainRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/drain',
    about: 'Open nothing more, save everything and let it leave the pool; over restarts too',
    needs: 'admin',
    verb: 'drain',
    audit: 'noted',
    params: none,
    body: nothing,
    run: async ({ daemon: { engine } }) => {
      await engine.drain.begin()
      return { drain: drainView(engine.drain) }
    },
  }),
  route({
    method: 'POST',
    path: '/v1/undrain',
    about: 'Open projects again',
    needs: 'admin',
    verb: 'undrain',
    audit: 'noted',
    params: none,
    body: nothing,
    run: async ({ daemon }) => {
      await daemon.engine.drain.end()
      // What touches were refused meanwhile.
      daemon.opens.forgetAll()
      return { drain: null }
    },
  }),
]
