/** What can be asked of the daemon, a file for each subject. */
import type { Route } from './route.ts'
import { configRoutes } from './routes/config.ts'
import { drainRoutes } from './routes/drain.ts'
import { eventRoutes } from './routes/events.ts'
import { holderRoutes } from './routes/holders.ts'
import { hostRoutes } from './routes/host.ts'
import { hostsRoutes } from './routes/hosts.ts'
import { lookRoutes } from './routes/look.ts'
import { operationRoutes } from './routes/operations.ts'
import { pinRoutes } from './routes/pins.ts'
import { pointRoutes } from './routes/points.ts'
import { projectRoutes } from './routes/projects.ts'
import { putAwayRoutes } from './routes/put-away.ts'
import { scrubRoutes } from './routes/scrub.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { watchRoutes } from './routes/watch.ts'

export const routes: readonly Route[] = [
  ...hostRoutes,
  ...configRoutes,
  ...drainRoutes,
  ...putAwayRoutes,
  ...projectRoutes,
  ...holderRoutes,
  ...pointRoutes,
  ...pinRoutes,
  ...lookRoutes,
  ...hostsRoutes,
  ...scrubRoutes,
  ...operationRoutes,
  ...eventRoutes,
  ...tokenRoutes,
  ...watchRoutes,
]
