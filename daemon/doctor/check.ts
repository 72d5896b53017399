/** One thing that `doctor` looks at: what it found, and the command that mends it. */
import type { World } from './world.ts'

export type Verdict = 'ok' | 'warn' | 'fail' | 'skipped'

export interface Finding {
  readonly verdict: Verdict
  /** What was seen, for people. */
  readonly found: string
  /** To be typed, or done, by somebody who has thought about it. */
  readonly mend?: string
}

export interface Check {
  readonly name: string
  /** May reject: that is a failure of its own. Changes nothing that anybody would notice. */
  readonly run: (world: World, signal: AbortSignal) => Promise<Finding | readonly Finding[]>
}

export const ok = (found: string): Finding => ({ verdict: 'ok', found })
export const warn = (found: string, mend: string): Finding => ({ verdict: 'warn', found, mend })
export const fail = (found: string, mend: string): Finding => ({ verdict: 'fail', found, mend })
export const skipped = (found: string): Finding => ({ verdict: 'skipped', found })
