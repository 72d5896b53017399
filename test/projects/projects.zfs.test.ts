import { projectsContract } from '../contracts/projects.ts'
import { withPool } from '../support/zfs-pool.ts'

projectsContract('the ZFS of this machine', (body) => withPool(body))
