import { divergedContract } from '../contracts/projects-diverged.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

divergedContract('the fake', withFakeZfs, { refusesBusy: false })
