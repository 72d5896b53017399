/** All that `doctor` looks at, in the order in which it is told. */
import type { Check } from './check.ts'
import * as certificates from './checks/certificates.ts'
import * as serving from './checks/daemon.ts'
import * as fuse from './checks/fuse.ts'
import * as machine from './checks/machine.ts'
import * as mounts from './checks/mounts.ts'
import * as program from './checks/program.ts'
import * as store from './checks/store.ts'
import * as zfs from './checks/zfs.ts'

export const checks: readonly Check[] = [
  program.node,
  program.user,
  program.configuration,
  fuse.device,
  fuse.library,
  fuse.fusermount,
  fuse.allowOther,
  fuse.requestTimeout,
  mounts.autofs,
  mounts.propagation,
  mounts.updatedb,
  zfs.zfs,
  zfs.features,
  zfs.pool,
  zfs.poolScrub,
  machine.rootSpace,
  machine.stateSpace,
  machine.openFiles,
  store.schema,
  store.receivable,
  store.consistency,
  store.clock,
  certificates.storeCertificates,
  certificates.ownCertificate,
  serving.daemon,
  serving.access,
]
