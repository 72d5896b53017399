/** Which version of Tidepool this is, by its package. */
import { readFileSync } from 'node:fs'

export function version(): string {
  // One folder up from here in a checkout, two from the build.
  for (const up of ['../package.json', '../../package.json'])
    try {
      return (JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { version: string }).version
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  return 'unknown'
}
