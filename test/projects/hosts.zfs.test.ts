import { hostsContract } from '../contracts/projects-hosts.ts'
import { withPool } from '../support/zfs-pool.ts'

hostsContract('the ZFS of this machine', (body) => withPool(body))
