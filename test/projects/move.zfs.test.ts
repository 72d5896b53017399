import { moveContract } from '../contracts/projects-move.ts'
import { withPool } from '../support/zfs-pool.ts'

moveContract('the ZFS of this machine', (body) => withPool(body))
