/** What can be asked of the daemon, a file for each subject. */
import type { Route } from './route.ts'
import { configRoutes } from './routes/config.ts'
import { drainRoutes } from './routes/drain.ts'
import { holderRoutes } from './routes/holders.ts'
import { hostRoutes } from './routes/host.ts'
import { pointRoutes } from './routes/points.ts'
import { projectRoutes } from './routes/projects.ts'
import { putAwayRoutes } from './routes/put-away.ts'

export const routes: readonly Route[] = [
  ...hostRoutes,
  ...configRoutes,
  ...drainRoutes,
  ...putAwayRoutes,
  ...holderRoutes,
  ...projectRoutes,
  ...pointRoutes,
]
