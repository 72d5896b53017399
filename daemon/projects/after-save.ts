/** What becomes of a snapshot of ours once a point is saved (rule 22). Pure. */
import type { Guid } from '../../pipeline/base/ids.ts'
import { EVERY_RULE, type Rules } from '../../pipeline/graph/rules.ts'

/** `bases`: from what a later step may be sent; a bookmark will do for that, where there are bookmarks. */
export function afterSave(
  point: Guid,
  saved: Guid,
  bases: ReadonlySet<Guid>,
  rules: Rules = EVERY_RULE,
): 'stays' | 'base' | 'goes' {
  // Only a snapshot shows that nothing was written since.
  if (point === saved && rules.newestStays) return 'stays'
  return bases.has(point) ? 'base' : 'goes'
}
