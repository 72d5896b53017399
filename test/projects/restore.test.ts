import { restoreContract } from '../contracts/projects-restore.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

restoreContract('a fake of OpenZFS', (body) => withFakeZfs(body), { isReal: false })
