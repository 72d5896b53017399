/**
 * Which partition a chunk lies in: stripes, so that neighbours, which are written and read at the same time, lie on
 * different replicas, and no partition grows past a few chunks.
 */

/** Neighbours spread over so many partitions. */
export const STRIPES = 16
/** So many chunks lie in one partition: 16 MiB at 1 MiB a chunk, and one tombstone where they are removed. */
export const ROWS = 16

const GROUP = STRIPES * ROWS

export function bucketOf(seq: number): number {
  return Math.floor(seq / GROUP) * STRIPES + (seq % STRIPES)
}

/** How many partitions hold the chunks below `seqHigh`: the buckets from 0 on. */
export function bucketsBelow(seqHigh: number): number {
  return Math.floor(seqHigh / GROUP) * STRIPES + Math.min(STRIPES, seqHigh % GROUP)
}

/** The numbers below `seqHigh` that lie in a bucket, in order. */
export function seqsOf(bucket: number, seqHigh: number): number[] {
  const first = Math.floor(bucket / STRIPES) * GROUP + (bucket % STRIPES)
  return Array.from({ length: ROWS }, (_, row) => first + row * STRIPES).filter((seq) => seq < seqHigh)
}
