/** Passwords of stores: from the environment or a file, never from a command line, which everybody on the machine can read. */
import { readFile } from 'node:fs/promises'
import { TidepoolError } from '../base/errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

const VALUE = 'TIDEPOOL_CASSANDRA_PASSWORD'
const FILE = 'TIDEPOOL_CASSANDRA_PASSWORD_FILE'

/** Undefined where none is given. The one line of the file, without its end. */
export async function cassandraPassword(env: Environment): Promise<string | undefined> {
  const path = env[FILE]
  if (env[VALUE] !== undefined && path !== undefined)
    throw new TidepoolError('bad-secret', `both ${VALUE} and ${FILE} are set`, { hint: 'Set one of them.' })
  if (path === undefined) return env[VALUE]
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new TidepoolError('bad-secret', `the password file ${path} can't be read`, {
      cause,
      hint: `${FILE} names a file with the password in its one line.`,
    })
  }
  const password = text.replace(/\r?\n$/, '')
  if (password === '' || password.includes('\n'))
    throw new TidepoolError('bad-secret', `the password file ${path} has not exactly one line`, {
      hint: 'Write the password, and nothing else, in its one line.',
    })
  return password
}
