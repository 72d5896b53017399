import { hostLossContract } from '../contracts/projects-host-loss.ts'
import { withPool } from '../support/zfs-pool.ts'

hostLossContract('the ZFS of this machine', (body) => withPool(body), { isReal: true })
