/** The store as a whole: what was left half-done in it or is damaged, looked for, and removed where that is asked for. */
import { z } from 'zod'
import { type Finding, isDamage } from '../../../pipeline/scrub/findings.ts'
import { scrub } from '../../../pipeline/scrub/scrub.ts'
import { seedOfDay } from '../../../pipeline/scrub/settings.ts'
import { type Route, route } from '../route.ts'

/** Each is counted in the summary; who wants all of them takes the command. */
const MOST_TOLD = 1000

export const scrubRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/scrub',
    about: 'Look through the store; with `apply` remove what has to go',
    needs: 'admin',
    verb: 'scrub',
    long: true,
    audit: 'noted',
    params: z.object({}),
    body: z
      .strictObject({
        depth: z.enum(['stale', 'present', 'deep']).default('stale'),
        apply: z.boolean().default(false),
        sample: z.number().gt(0).max(1).optional(),
      })
      .prefault({}),
    run: async ({ daemon, body, signal }) => {
      const { store, limiter, clock, settings } = daemon.engine.host
      const found = scrub(store, {
        depth: body.depth,
        apply: body.apply,
        retention: { policy: settings.retention },
        limiter,
        clock,
        signal,
        ...(body.sample !== undefined && { sample: body.sample, seed: seedOfDay(clock.wallMs()) }),
      })
      const findings: object[] = []
      let damaged = false
      try {
        for (;;) {
          const step = await found.next()
          if (step.done)
            return { summary: step.value, damaged: damaged || step.value.damagedWrites > 0, findings }
          damaged ||= isDamage(step.value)
          if (findings.length < MOST_TOLD) findings.push(view(step.value))
        }
      } finally {
        await found.return?.(undefined as never)
      }
    },
  }),
]

const view = (finding: Finding): object => ({
  ...finding,
  ...('error' in finding && { error: String(finding.error) }),
})
