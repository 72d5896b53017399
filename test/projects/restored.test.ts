import { restoredContract } from '../contracts/projects-restored.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

restoredContract('a fake of OpenZFS', (body) => withFakeZfs(body), { refusesBusy: false })
restoredContract('a fake of zfs-fuse', (body) => withFakeZfs(body, { flavour: 'zfs-fuse' }), {
  refusesBusy: false,
})
