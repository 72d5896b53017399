/** The configuration that is in force, and the order to read it again. */
import { z } from 'zod'
import { messageOf } from '../../../pipeline/base/errors.ts'
import { masked } from '../../config/masked.ts'
import { nothing, type Route, route } from '../route.ts'

const none = z.object({})

export const configRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/config',
    about: 'What is in force, without its secrets, and what of the file is not',
    params: none,
    body: nothing,
    run: async ({ daemon: { live } }) => ({
      file: live.file ?? null,
      config: masked(live.inForce),
      needRestart: live.needRestart,
      error: live.error === undefined ? null : messageOf(live.error),
    }),
  }),
  route({
    method: 'POST',
    path: '/v1/config/reload',
    about: 'Read the file again; what is wrong in it changes nothing',
    params: none,
    body: nothing,
    run: ({ daemon }) => daemon.live.reload(),
  }),
]
