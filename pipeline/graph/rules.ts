/**
 * The rules of a project's transactions that code can hold, by name. Production has every one of them on; the
 * model test takes one away at a time and must then find a violation, which is how each line here earned its place.
 */
export const RULE_TEXTS = {
  commitEpoch: 'a commit carries the epoch it was planned under',
  commitRev: 'a commit carries the rev it was planned from',
  unsealed:
    'only the process that saw every chunk acknowledged commits; a restart aborts what it finds writing',
  baseReachable: 'the base is reachable in the read that gave rev, and again before every re-issue',
  descends: 'a save replaces the head only if its dataset descends from the head',
  epochBound: 'a save replaces the head only if its dataset was opened under the present epoch',
  readOutcome: 'after an unknown or false outcome the row is read, and re-issued while it may be',
  supersededIsDone: 'an own row that is superseded or later means that the commit happened',
  reissueLive: 'a commit needs the project live, and so does its re-issue',
  resolveFirst: 'what an earlier attempt left writing is ended before the next save, open, evict or release',
  fence: 'an unknown outcome is over only when rev has moved, by somebody or by a touch of ours',
  keepSide: 'side points and heads that a rollback left are kept until somebody acknowledges them',
  needed: 'only an edge that no kept point needs is superseded',
  supersedeRev: 'superseding carries the rev of the read that showed it',
  replan: 'a reader plans again when its write is no longer committed',
  rollbackEpoch: 'a rollback grows the epoch',
  lifeEpoch: 'destroying, undeleting and purging each grow the epoch',
  takeEpoch: 'a take-over grows the epoch',
  takeDead: 'a project is taken only from a host that is dead or ended, or from none',
  returnTouch: 'a host that was marked dead touches each project it holds before it counts as owner again',
  sessionRows: 'a daemon resolves only rows of its own session or of ended sessions of its host',
  purgeMarks: 'a purge moves a row to deleting before its chunks go',
  recreateEpoch: 're-creating grows the epoch',
  lifeBound: 'what was opened in an earlier life is set aside, never mounted and never saved',
  staleProven:
    'a dataset is a stale cache only if nothing was written since its newest snapshot and that is a point',
  umountFirst: 'an evict unmounts before it proves',
  proveStore: 'an evict proves that the newest snapshot is a point whose chunks are in the store',
  proveClean: 'an evict proves that nothing was written since the newest snapshot',
  newestStays: 'the newest saved point stays a snapshot as long as its dataset is there',
} as const

export type RuleName = keyof typeof RULE_TEXTS
export type Rules = Readonly<Record<RuleName, boolean>>

export const RULE_NAMES = Object.keys(RULE_TEXTS) as RuleName[]

/** All rules on, but for those named: for the model test. */
export function rulesWithout(...off: RuleName[]): Rules {
  return Object.freeze(Object.fromEntries(RULE_NAMES.map((name) => [name, !off.includes(name)])) as Rules)
}

export const EVERY_RULE: Rules = rulesWithout()
