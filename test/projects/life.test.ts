import { lifeContract } from '../contracts/projects-life.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

lifeContract('a fake of OpenZFS', (body) => withFakeZfs(body), { refusesBusy: false })
