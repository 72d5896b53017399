/** Finds the test files: every `*.test.ts` under a folder, sorted, without what lies in `fixtures`. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

export function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return entry.name === 'fixtures' ? [] : testFiles(path)
      return entry.name.endsWith('.test.ts') ? [path] : []
    })
    .sort()
}
