import { lifeContract } from '../contracts/projects-life.ts'
import { withPool } from '../support/zfs-pool.ts'

lifeContract('the ZFS of this machine', (body) => withPool(body))
