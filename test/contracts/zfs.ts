/** What `native/zfs` promises, whatever ZFS is below it: run on the fake and on the real one of the machine. */
import { suite } from 'uvu'
import { datasetContract } from './zfs-datasets.ts'
import { streamContract } from './zfs-streams.ts'
import type { Promised, ZfsWorld } from './zfs-world.ts'

export function zfsContract(
  label: string,
  withWorld: (body: (world: ZfsWorld) => Promise<void>) => Promise<void>,
): void {
  const test = suite(`zfs contract: ${label}`)
  const promised: Promised = (promise, body) => test(promise, () => withWorld(body))
  datasetContract(promised)
  streamContract(promised)
  test.run()
}
