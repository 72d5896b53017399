/** What can be asked of the daemon, a file for each subject. */
import type { Route } from './route.ts'
import { eventRoutes } from './routes/events.ts'
import { hostRoutes } from './routes/host.ts'
import { hostsRoutes } from './routes/hosts.ts'
import { lookRoutes } from './routes/look.ts'
import { operationRoutes } from './routes/operations.ts'
import { pointRoutes } from './routes/points.ts'
import { projectRoutes } from './routes/projects.ts'
import { tokenRoutes } from './routes/tokens.ts'

export const routes: readonly Route[] = [
  ...hostRoutes,
  ...projectRoutes,
  ...pointRoutes,
  ...lookRoutes,
  ...hostsRoutes,
  ...operationRoutes,
  ...eventRoutes,
  ...tokenRoutes,
]
