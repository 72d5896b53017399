import { restoreContract } from '../contracts/projects-restore.ts'
import { withPool } from '../support/zfs-pool.ts'

restoreContract('the ZFS of this machine', (body) => withPool(body))
