/** How the three nodes of the ring `cluster` are started, by the runner and by the tests that killed some. */

/** Where they listen, all on port 9042: the first two are data centre dc1, the third is dc2. */
export const CLUSTER_NODES = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const

/** Starts those of the three that do not run; they end with process `withPid`, however it ends. */
export function clusterStart(withPid: number): string[] {
  const nodes = ['start', '--nodes', '3', '--heap', '512m', '--dc', 'dc1', '--dc', '3=dc2']
  return [...nodes, '--with-pid', String(withPid)]
}
