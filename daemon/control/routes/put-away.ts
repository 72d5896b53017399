/** Before the host goes down. */
import { z } from 'zod'
import { type Route, route } from '../route.ts'

export const putAwayRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/put-away',
    about: 'Save everything within a limit, and tell what was not: for a host that goes down',
    params: z.object({}),
    body: z.strictObject({ withinMs: z.int().min(1000).max(3_600_000).default(80_000) }).prefault({}),
    run: ({ daemon, body: { withinMs }, signal }) => daemon.engine.putAway(withinMs, signal),
  }),
]
