import { lifeContract } from '../contracts/projects-life.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

lifeContract('a fake of OpenZFS', (body) => withFakeZfs(body), { refusesBusy: false })
lifeContract('a fake of zfs-fuse', (body) => withFakeZfs(body, { flavour: 'zfs-fuse' }), {
  refusesBusy: false,
})
