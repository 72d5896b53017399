/** What is completed where: over the real help of every verb, and in a real bash. */
import { execFile } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { groups } from '../../daemon/cli/verbs.ts'
import { readHelp } from '../../daemon/completion/help.ts'
import { SCRIPTS } from '../../daemon/completion/scripts.ts'
import { tidepool } from '../support/command.ts'
import { withDaemon } from '../support/daemon.ts'
import { temporaryDirectory } from '../support/directory.ts'

const test = suite('completion')
const run = promisify(execFile)
const MAIN = fileURLToPath(new URL('../support/tidepool.ts', import.meta.url))
const NOBODY = '/nowhere/tidepool.sock'

async function completed(words: readonly string[], socket = NOBODY): Promise<string[]> {
  const env = { TIDEPOOL_WORDS: words.join('\n'), TIDEPOOL_SOCKET: socket }
  const { code, stdout, stderr } = await tidepool(['completion', 'words'], { env })
  assert.is(code, 0)
  assert.is(stderr, '')
  return stdout.toString().split('\n').filter(Boolean)
}

test('verbs, those below a group, and options, as the help of each says', async () => {
  assert.equal(
    await completed(['']),
    groups.map(({ name }) => name),
  )
  assert.equal(await completed(['stat']), ['status'])
  assert.equal(await completed(['stream', 'g']), ['get', 'graph'])
  assert.equal(await completed(['stream', 'put', '--ch']), ['--chunk-size'])
  assert.ok((await completed(['status', '--j'])).includes('--json'))
  assert.equal(await completed(['--json', 'poo']), ['pool'])
  assert.equal(await completed(['completion', 'z']), ['zsh'])
  assert.equal(await completed(['nonsense', 'x']), [])
})

test('what follows an option with a value, and arguments that are files, are left to the shell', async () => {
  assert.equal(await completed(['--socket', '']), [':files'])
  assert.equal(await completed(['stream', 'put', 'p', '']), [':files'])
  assert.equal(await completed(['config', 'check', '/e']), [':files'])
  assert.equal(await completed(['--socket', '/x', 'stat']), ['status'])
})

test('every verb can be completed: each has a help that is understood', async () => {
  for (const { name, verbs } of groups)
    for (const words of verbs ? verbs.map((verb) => [name, verb.name]) : [[name]]) {
      const help = readHelp((await tidepool([...words, '--help'])).stdout.toString())
      assert.ok(
        help.options.some((option) => option.name === '--help'),
        words.join(' '),
      )
    }
})

test('projects are those that the daemon has, and none of them is opened for it', () =>
  withDaemon(async ({ client, socket, daemon }) => {
    for (const id of ['home1', 'home2', 'other']) await client.call('POST', '/v1/projects', { body: { id } })
    await client.call('POST', '/v1/projects/home2/close')
    assert.equal(await completed(['open', 'home'], socket), ['home1', 'home2'])
    assert.equal(await completed(['stream', 'ls', 'o'], socket), ['other'])
    assert.equal(await completed(['pin', 'home1', ''], socket), [], 'a point is none')
    assert.equal(await completed(['create', 'h'], socket), [], 'one that there is cannot be made')
    const { projects } = await client.call<{ projects: { id: string; mounted: boolean }[] }>(
      'GET',
      '/v1/projects',
    )
    assert.is(projects.find(({ id }) => id === 'home2')?.mounted, false)
    assert.is(daemon.engine.saves.size, 2)
  }))

test('where nobody answers, or too late, there is silence', async () => {
  assert.equal(await completed(['open', '']), [])
  const { path, remove } = await temporaryDirectory()
  const server = createServer(() => {})
  try {
    const socket = join(path, 'deaf.sock')
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    const began = performance.now()
    assert.equal(await completed(['open', ''], socket), [])
    assert.ok(performance.now() - began < 30_000)
  } finally {
    server.close()
    await remove()
  }
})

/** In a real bash: what it would show, with the words as it hands them over. */
async function inBash(
  words: readonly string[],
  env: Record<string, string>,
  path: string,
): Promise<string[]> {
  const lines = [
    'source "$1"; shift',
    'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))',
    '_tidepool',
    `printf "%s\\n" "$\{COMPREPLY[@]}"`,
  ]
  const script = join(path, 'script')
  // The limit is for people; a machine that runs many tests is slower.
  await writeFile(script, (SCRIPTS.bash ?? '').replace('timeout 2', 'timeout 60'))
  const { stdout, stderr } = await run('bash', ['-c', lines.join('\n'), 'bash', script, ...words], {
    env: { ...process.env, ...env },
  })
  assert.is(stderr, '')
  return stdout.split('\n').filter(Boolean)
}

test('in a real bash', () =>
  withDaemon(async ({ client, socket }) => {
    const { path, remove } = await temporaryDirectory()
    try {
      const command = join(path, 'tidepool')
      const tsx = fileURLToPath(import.meta.resolve('tsx'))
      await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' --import '${tsx}' '${MAIN}' "$@"\n`)
      await chmod(command, 0o755)
      await client.call('POST', '/v1/projects', { body: { id: 'home1' } })
      const env = { TIDEPOOL_SOCKET: socket }
      assert.equal(await inBash([command, 'comp'], env, path), ['completion'])
      assert.equal(await inBash([command, 'save', ''], env, path), ['home1'])
      assert.equal(await inBash([command, 'pool', 'create', '--as'], env, path), ['--ashift'])
      assert.equal(await inBash([command, 'save', ''], { TIDEPOOL_SOCKET: NOBODY }, path), [])
    } finally {
      await remove()
    }
  }))

test('each shell has a script that limits its patience; another one is refused', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await tidepool(['completion', shell])
    assert.is(code, 0)
    assert.match(stdout.toString(), /timeout 2 /)
  }
  await run('bash', ['-n', '-c', SCRIPTS.bash ?? ''])
  assert.is((await tidepool(['completion', 'tcsh'])).code, 2)
})

test.run()
