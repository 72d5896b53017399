import { zfsContract } from '../../contracts/zfs.ts'
import { withPool } from '../../support/zfs-pool.ts'

zfsContract('the real one', withPool)
