/**
 * What goes wrong without each rule, and where the model finds it. Both tests hold this table to the truth: what it
 * names is found, and where it says that another rule covers for one, neither is missed alone and both are together.
 */
import type { RuleName } from '../../pipeline/graph/rules.ts'
import type { ScenarioName } from './scenarios.ts'

export interface Catch {
  readonly scenario: ScenarioName
  readonly finds: RegExp
  /** Off alone it is not missed: that other rule is off, too. */
  readonly with?: { readonly rule: RuleName; readonly because: string }
  /** Found within a few hundred states. */
  readonly early?: true
}

const HEAD_LOST = /^the head \w+ can't be reached/
const TAKEN_ALIVE = /^the project was taken from machine A, which is alive/
const WRITTEN_LOST = /^what was written \(a\) is in no reachable point and in no dataset/
const UNDONE = /^the operator's rollback was undone/

export const CATCHES: Readonly<Record<RuleName, Catch>> = {
  commitEpoch: {
    scenario: 'rollback',
    finds: UNDONE,
    with: {
      rule: 'commitRev',
      because:
        'whatever grows the epoch moves rev, and before each issue the plan is compared with what was read',
    },
    early: true,
  },
  commitRev: { scenario: 'save', finds: HEAD_LOST },
  unsealed: { scenario: 'crash', finds: /^write A1 was committed without its chunk/, early: true },
  baseReachable: { scenario: 'save', finds: HEAD_LOST, early: true },
  descends: {
    scenario: 'hand',
    finds: /^write A1 moved the head from 12 to 1, which knows nothing of it/,
    early: true,
  },
  epochBound: { scenario: 'rollback', finds: UNDONE, early: true },
  readOutcome: {
    scenario: 'save',
    finds: /^commit of write A1 was held to be over, and happened/,
    early: true,
  },
  supersededIsDone: { scenario: 'purge', finds: /^write A1 happened, and was reported as failed/ },
  reissueLive: {
    scenario: 'destroy',
    finds: /^write A1 was committed into a project that is destroyed/,
    with: { rule: 'lifeEpoch', because: 'a destroy grows the epoch that the commit carries' },
    early: true,
  },
  resolveFirst: {
    scenario: 'pool',
    finds: /^machine A, which never lost the project, was treated/,
    early: true,
  },
  fence: {
    scenario: 'move',
    finds: /^release of p was held to be over, and happened afterwards/,
    early: true,
  },
  keepSide: { scenario: 'side', finds: /^what was written \(a\) is in no reachable point/ },
  needed: { scenario: 'save', finds: HEAD_LOST, early: true },
  supersedeRev: { scenario: 'save', finds: HEAD_LOST },
  replan: { scenario: 'read', finds: /^a reader reported damage where nothing is damaged/, early: true },
  rollbackEpoch: { scenario: 'rollback', finds: UNDONE, early: true },
  lifeEpoch: {
    scenario: 'recreate',
    finds: /^write A1 of an earlier life was committed/,
    with: {
      rule: 'recreateEpoch',
      because: 'on the way to a new life the epoch grows four times, and once is enough',
    },
    early: true,
  },
  takeEpoch: { scenario: 'fork', finds: /^machines A and B both moved the head in epoch 1/ },
  takeDead: { scenario: 'take', finds: TAKEN_ALIVE, early: true },
  returnTouch: { scenario: 'return', finds: TAKEN_ALIVE },
  sessionRows: { scenario: 'twin', finds: /^write C1 was ended under machine C/, early: true },
  purgeMarks: { scenario: 'purge', finds: /^write f0 is committed and its chunk is gone/ },
  recreateEpoch: {
    scenario: 'recreate',
    finds: /^write A1 of an earlier life was committed/,
    with: {
      rule: 'lifeEpoch',
      because: 'on the way to a new life the epoch grows four times, and once is enough',
    },
    early: true,
  },
  lifeBound: { scenario: 'recreate', finds: /^write A1 of an earlier life was committed/, early: true },
  staleProven: { scenario: 'forth', finds: WRITTEN_LOST, early: true },
  umountFirst: { scenario: 'evict', finds: WRITTEN_LOST, early: true },
  proveStore: { scenario: 'evict', finds: WRITTEN_LOST, early: true },
  proveClean: { scenario: 'evict', finds: WRITTEN_LOST, early: true },
  newestStays: { scenario: 'save', finds: /^machine A sent again what it had saved already/, early: true },
}
