import { restoredContract } from '../contracts/projects-restored.ts'
import { withPool } from '../support/zfs-pool.ts'

restoredContract('the ZFS of this machine', (body) => withPool(body))
