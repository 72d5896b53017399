/** The package that this program is part of: where it lies, and its version. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Two folders up from here in a checkout, three from the build. */
const found = ['../../', '../../../']
  .map((up) => fileURLToPath(new URL(up, import.meta.url)))
  .find((directory) => existsSync(`${directory}package.json`))

/** Without a slash at its end. */
export function packageDirectory(): string {
  if (found === undefined) throw new Error('the package.json of this program is not where it belongs')
  return found.replace(/\/$/, '')
}

export function version(): string {
  return (JSON.parse(readFileSync(`${packageDirectory()}/package.json`, 'utf8')) as { version: string })
    .version
}
