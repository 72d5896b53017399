import { lifeContract } from '../contracts/projects-life.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

// A file of its own: both fakes in one would come near the limit of a file on a busy machine.
lifeContract('a fake of zfs-fuse', (body) => withFakeZfs(body, { flavour: 'zfs-fuse' }), {
  refusesBusy: false,
})
