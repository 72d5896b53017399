import { hostLossContract } from '../contracts/projects-host-loss.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

hostLossContract('the fake', (body) => withFakeZfs(body), { isReal: false })
