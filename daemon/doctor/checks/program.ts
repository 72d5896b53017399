/** What runs this: Node, the user, the configuration. */
import { errnoOf, messageOf } from '../../../pipeline/base/errors.ts'
import { type Check, fail, ok, warn } from '../check.ts'

const LEAST = [20, 19] as const

export const node: Check = {
  name: 'Node',
  run: async ({ nodeVersion }) => {
    const [major = 0, minor = 0] = nodeVersion.split('.').map(Number)
    if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return ok(nodeVersion)
    return fail(`${nodeVersion}, older than ${LEAST.join('.')}`, 'install Node 20.19 or later (nodejs.org)')
  },
}

export const user: Check = {
  name: 'user',
  run: async ({ uid }) =>
    uid === 0
      ? ok('root')
      : warn(`uid ${uid}: what only root may see is not checked`, 'sudo tidepool doctor'),
}

export const configuration: Check = {
  name: 'configuration',
  run: async ({ config, configFile }) =>
    'error' in config ? fail(messageOf(config.error), mendOf(config.error, configFile)) : ok(configFile),
}

/** Never what would write over a file that somebody has made. */
function mendOf(error: unknown, configFile: string): string {
  const errno = error instanceof Error ? errnoOf(error.cause) : undefined
  if (errno === 'ENOENT') return `tidepool config example > ${configFile}, or tell with --config where it is`
  return errno === undefined ? `tidepool config check ${configFile}` : 'sudo tidepool doctor'
}
