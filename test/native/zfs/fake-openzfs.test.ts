import { zfsContract } from '../../contracts/zfs.ts'
import { withFakeZfs } from '../../support/fake-zfs.ts'

zfsContract('the fake as OpenZFS', (body) => withFakeZfs(body, { flavour: 'openzfs' }))
