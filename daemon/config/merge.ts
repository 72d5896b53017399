/** What of a changed configuration takes effect at once, and what only a restart does. Pure. */
import type { Config } from './schema.ts'

/** Keys that whoever reads them reads anew; all others are read once. A section stands for its keys. */
const AT_ONCE: readonly (keyof Config)[] = [
  'takeover',
  'onHostLoss',
  'save',
  'restore',
  'keep',
  'evict',
  'unmount',
]

export interface Merged {
  /** What is in force from now on. */
  readonly config: Config
  /** By their full names, `save.interval`. */
  readonly changed: readonly string[]
  readonly needRestart: readonly string[]
}

export function mergeConfig(inForce: Config, next: Config): Merged {
  const sections = Object.keys({ ...inForce, ...next }) as (keyof Config)[]
  const live = sections.filter((key) => AT_ONCE.includes(key))
  const rest = sections.filter((key) => !AT_ONCE.includes(key))
  const taken = Object.fromEntries(live.map((key) => [key, next[key]]))
  return {
    config: { ...inForce, ...taken },
    changed: live.flatMap((key) => differing(inForce[key], next[key], key)),
    needRestart: rest.flatMap((key) => differing(inForce[key], next[key], key)),
  }
}

/** The leaves that are not the same; `before` and `after` are what a schema has made of YAML. */
function differing(before: unknown, after: unknown, name: string): string[] {
  if (isSection(before) && isSection(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
      differing(before[key], after[key], `${name}.${key}`),
    )
  return same(before, after) ? [] : [name]
}

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const same = (a: unknown, b: unknown): boolean => a === b || text(a) === text(b)

const text = (value: unknown): string =>
  JSON.stringify(value, (_key, one) => (typeof one === 'bigint' ? `${one}n` : one)) ?? ''
