import { zfsContract } from '../../contracts/zfs.ts'
import { withFakeZfs } from '../../support/fake-zfs.ts'

zfsContract('the fake as zfs-fuse', (body) => withFakeZfs(body, { flavour: 'zfs-fuse' }))
