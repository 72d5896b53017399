import { moveContract } from '../contracts/projects-move.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

moveContract('a fake of OpenZFS', (body) => withFakeZfs(body), { refusesBusy: false })
moveContract('a fake of zfs-fuse', (body) => withFakeZfs(body, { flavour: 'zfs-fuse' }), {
  refusesBusy: false,
})
