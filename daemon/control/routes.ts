/** What can be asked of the daemon, a file for each subject. */
import type { Route } from './route.ts'
import { hostRoutes } from './routes/host.ts'
import { hostsRoutes } from './routes/hosts.ts'
import { lookRoutes } from './routes/look.ts'
import { pointRoutes } from './routes/points.ts'
import { projectRoutes } from './routes/projects.ts'

export const routes: readonly Route[] = [
  ...hostRoutes,
  ...projectRoutes,
  ...pointRoutes,
  ...lookRoutes,
  ...hostsRoutes,
]
