import { divergedContract } from '../contracts/projects-diverged.ts'
import { withPool } from '../support/zfs-pool.ts'

divergedContract('a real ZFS', withPool)
