/** What can be asked of the daemon, a file for each subject. */
import type { Route } from './route.ts'
import { hostRoutes } from './routes/host.ts'
import { pointRoutes } from './routes/points.ts'
import { projectRoutes } from './routes/projects.ts'
import { watchRoutes } from './routes/watch.ts'

export const routes: readonly Route[] = [...hostRoutes, ...projectRoutes, ...pointRoutes, ...watchRoutes]
