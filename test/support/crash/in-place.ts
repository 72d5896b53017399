/** Where a project was mounted by an open that had to set nothing aside. */
import type { Opened } from '../../../daemon/projects/open.ts'

/** One host alone works with these: there is never a fork of anything. */
export function inPlace({ path, setAside }: Opened): string {
  if (setAside.length > 0) throw new Error(`set aside: ${JSON.stringify(setAside)}`)
  return path
}
