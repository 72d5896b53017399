import { hostsContract } from '../contracts/projects-hosts.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

hostsContract('a fake of OpenZFS', (body) => withFakeZfs(body))
