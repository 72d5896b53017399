import { projectsContract } from '../contracts/projects.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

projectsContract('a fake of OpenZFS', (body) => withFakeZfs(body))
projectsContract('a fake of zfs-fuse', (body) => withFakeZfs(body, { flavour: 'zfs-fuse' }))
