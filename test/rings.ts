/** The rings of the tests: which files belong to which, what they need, how long one may take. A new ring is a new line here. */
import type { NeedName } from './support/runner/needs.ts'

export interface Ring {
  readonly name: string
  /** The end of its files' names; the longest that fits decides. */
  readonly suffix: string
  readonly needs: readonly NeedName[]
  /** Worker processes at a time. */
  readonly jobs: number
  /** How long one file may take; several times what it takes on two busy cores. */
  readonly limitMs: number
}

const minute = 60_000

export const rings: readonly Ring[] = [
  // One more than the cores of a small machine: many of its files wait for a second or ten.
  { name: 'unit', suffix: '.test.ts', needs: [], jobs: 3, limitMs: 3 * minute },
  { name: 'long', suffix: '.long.test.ts', needs: [], jobs: 2, limitMs: 20 * minute },
  { name: 'cassandra', suffix: '.cassandra.test.ts', needs: ['cassandra'], jobs: 1, limitMs: 5 * minute },
  {
    name: 'cassandra-long',
    suffix: '.cassandra.long.test.ts',
    needs: ['cassandra'],
    jobs: 1,
    limitMs: 20 * minute,
  },
  // One at a time: they share one zfs-fuse, which does one thing at a time.
  { name: 'zfs', suffix: '.zfs.test.ts', needs: ['zfs'], jobs: 1, limitMs: 5 * minute },
  { name: 'zfs-long', suffix: '.zfs.long.test.ts', needs: ['zfs'], jobs: 1, limitMs: 30 * minute },
  { name: 'fuse', suffix: '.fuse.test.ts', needs: ['fuse'], jobs: 2, limitMs: 3 * minute },
  { name: 'fuse-zfs', suffix: '.fuse-zfs.test.ts', needs: ['fuse', 'zfs'], jobs: 1, limitMs: 5 * minute },
  {
    name: 'fuse-zfs-long',
    suffix: '.fuse-zfs.long.test.ts',
    needs: ['fuse', 'zfs'],
    jobs: 1,
    limitMs: 20 * minute,
  },
  // Where its programs are; it need not run.
  { name: 'systemd', suffix: '.systemd.test.ts', needs: ['systemd'], jobs: 1, limitMs: 3 * minute },
  { name: 'browser', suffix: '.browser.test.ts', needs: ['browser'], jobs: 1, limitMs: 5 * minute },
  // Behind those of the single node, which is ended for it.
  { name: 'cluster', suffix: '.cluster.test.ts', needs: ['cluster'], jobs: 1, limitMs: 10 * minute },
]

/** Run whole by default: a slow selection after it need not repeat them. */
const quick = ['unit', 'systemd', 'cassandra', 'zfs', 'fuse', 'fuse-zfs', 'browser']

/** Names for several rings, and which part of the long tests they run (a test's own share of its rounds). */
export const selections: Readonly<
  Record<string, { readonly rings: readonly string[]; readonly long: number }>
> = {
  default: {
    rings: [
      'unit',
      'systemd',
      'long',
      'cassandra',
      'cassandra-long',
      'zfs',
      'zfs-long',
      'fuse',
      'fuse-zfs',
      'fuse-zfs-long',
      'browser',
    ],
    long: 0.1,
  },
  quick: { rings: quick, long: 0.1 },
  slow: {
    rings: rings.map((ring) => ring.name).filter((name) => !quick.includes(name)),
    long: 1,
  },
  all: { rings: rings.map((ring) => ring.name), long: 1 },
}

export function ringOf(file: string): Ring | undefined {
  return rings
    .filter((ring) => file.endsWith(ring.suffix))
    .sort((a, b) => b.suffix.length - a.suffix.length)[0]
}
