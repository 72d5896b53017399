/** Walks about what pools hold of a project: evicted, opened again, lost, rolled back by hand, of an earlier life. */
import type { Scenario } from './scenarios.ts'

export const RESIDENT_SCENARIOS = {
  evict: { a: 'a', opensA: 1, left: { lost: 1, evict: 1 } },
  evictTaken: { a: 'a', b: 'x', opensB: 1, left: { dead: 1, evict: 1 } },
  evictCrash: { a: 'a', opensB: 1, left: { lost: 1, crash: 1, evict: 1 } },
  evictScrub: {
    a: 'a',
    opensA: 1,
    scrubs: ['supersedes', 'condemns', 'sweeps', 'ends what is stale'],
    left: { lost: 1, rollback: 1, evict: 1 },
  },
  /** The head leaves the dataset's epoch and comes back to what it holds. */
  forth: { a: 'a', left: { rollback: 2, reopen: 1 } },
  reopen: { a: 'a', opensB: 1, left: { dead: 1, evict: 1, reopen: 1 } },
  takenBack: { a: 'a', opensB: 1, left: { dead: 2, reopen: 1 } },
  reopenHand: { a: 'a', left: { lost: 1, hand: 1, evict: 1, reopen: 1 } },
  reborn: { a: 'a', left: { destroy: 1, purge: 1, recreate: 1, dead: 1, evict: 1, reopen: 1 } },
  byHand: { a: 'a', opensB: 1, left: { dead: 1, hand: 1, evict: 1, reopen: 1 } },
  poolLost: { a: 'a', b: 'x', opensA: 1, opensB: 1, left: { dead: 1, pool: 1, evict: 1, reopen: 1 } },
} satisfies Record<string, Scenario>
