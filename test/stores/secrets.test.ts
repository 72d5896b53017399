import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { cassandraPassword } from '../../pipeline/stores/secrets.ts'
import { temporaryDirectory } from '../support/directory.ts'

const test = suite('secrets')

async function withFile(text: string, use: (env: Record<string, string>) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    const file = join(path, 'password')
    await writeFile(file, text, { mode: 0o600 })
    await use({ TIDEPOOL_CASSANDRA_PASSWORD_FILE: file })
  } finally {
    await remove()
  }
}

async function refused(env: Record<string, string>, why: RegExp): Promise<void> {
  const error = await cassandraPassword(env).then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.instance(error, TidepoolError)
  assert.match(String(error), why)
  assert.not.match(`${error} ${(error as TidepoolError).hint}`, /s3cret/)
}

test('there may be none', async () => {
  assert.is(await cassandraPassword({}), undefined)
})

test('comes from the environment as it is', async () => {
  assert.is(await cassandraPassword({ TIDEPOOL_CASSANDRA_PASSWORD: ' a b ' }), ' a b ')
})

test('comes from the one line of a file, without its end', async () => {
  for (const text of ['s3cret', 's3cret\n', 's3cret\r\n'])
    await withFile(text, async (env) => assert.is(await cassandraPassword(env), 's3cret'))
})

test('is refused where it is not clear, and never repeated', async () => {
  for (const text of ['', '\n', 's3cret\ns3cret\n'])
    await withFile(text, (env) => refused(env, /has not exactly one line/))
  await withFile('s3cret', (env) =>
    refused({ ...env, TIDEPOOL_CASSANDRA_PASSWORD: 's3cret' }, /both .* are set/),
  )
  await refused({ TIDEPOOL_CASSANDRA_PASSWORD_FILE: '/none/password' }, /\/none\/password can't be read/)
})

test.run()
