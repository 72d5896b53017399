import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type FileResult, runFiles } from './support/runner/pool.ts'

const test = suite('the runner')
const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/runner/${name}.ts`, import.meta.url))
const runner = fileURLToPath(new URL('./run.ts', import.meta.url))

async function results(
  names: readonly string[],
  jobs = 1,
  limitMs = 60_000,
): Promise<Map<string, FileResult>> {
  const found = new Map<string, FileResult>()
  for await (const result of runFiles(names.map(fixture), { jobs, limitMs })) {
    found.set(names.find((name) => fixture(name) === result.file) ?? '?', result)
  }
  return found
}

const counts = (result: FileResult | undefined) => [result?.passed, result?.failed, result?.skipped]

test('counts what uvu calls green as failed: hooks that throw, a missing .run(), .only, nothing at all', async () => {
  const names = [
    'green',
    'hook-before',
    'hook-after-each',
    'hook-after',
    'only',
    'empty',
    'skips',
    'forgets-run',
  ]
  const found = await results(names)
  assert.equal(counts(found.get('green')), [2, 0, 0])
  assert.equal(counts(found.get('forgets-run')), [0, 3, 0])
  assert.equal(counts(found.get('hook-before')), [0, 2, 0])
  assert.equal(counts(found.get('hook-after-each')), [1, 1, 0])
  assert.equal(counts(found.get('hook-after')), [1, 1, 0])
  assert.equal(counts(found.get('only')), [2, 1, 0], 'the runner runs all of them nevertheless')
  assert.equal(counts(found.get('empty')), [0, 1, 0])
  assert.equal(counts(found.get('skips')), [1, 0, 1])
  assert.match(
    found.get('forgets-run')?.problems.join() ?? '',
    '3 of 3 tests were never run; is .run() missing?',
  )
  assert.match(found.get('hook-before')?.problems.join() ?? '', 'set-up went wrong')
  assert.match(found.get('only')?.problems.join() ?? '', '"alone" is marked .only')
  assert.match(found.get('empty')?.problems.join() ?? '', 'declares no test')
})

test('a file that forgets .run() does not spoil the one after it', async () => {
  const found = await results(['forgets-run', 'green'])
  assert.equal(counts(found.get('forgets-run')), [0, 3, 0])
  assert.is(found.get('green')?.passed, 2)
  assert.is(found.get('green')?.failed, 1, 'the tests that were left here are told of')
})

test('goes on after rejections, exceptions, failures, failed imports and an exit in the middle', async () => {
  const found = await results(['rejects', 'throws-later', 'fails', 'import-error', 'exits', 'green'])
  assert.equal(counts(found.get('rejects')), [2, 1, 0])
  assert.match(found.get('rejects')?.problems.join() ?? '', 'nobody looked')
  assert.equal(counts(found.get('throws-later')), [1, 1, 0])
  assert.match(found.get('throws-later')?.problems.join() ?? '', 'from a timer')
  assert.equal(counts(found.get('fails')), [1, 1, 0])
  assert.match(found.get('fails')?.log ?? '', /red[\s\S]*green/)
  assert.equal(counts(found.get('import-error')), [0, 1, 0])
  assert.equal(counts(found.get('exits')), [1, 2, 0])
  assert.match(found.get('exits')?.problems.join() ?? '', 'exited (0) in "ends the process"')
  assert.equal(counts(found.get('green')), [2, 0, 0])
})

test('a file that hangs is ended at its limit, which says where, and costs no other file', async () => {
  const limited = await results(['hangs', 'spins'], 2, 1000)
  assert.equal(counts(limited.get('hangs')), [1, 2, 0])
  assert.match(
    limited.get('hangs')?.problems.join() ?? '',
    'no end within 1 s: it was in "hanging › waits for ever"',
  )
  assert.equal(counts(limited.get('spins')), [0, 1, 0])
})

test('ends what tests leave running', async () => {
  const found = await results(['leaves-process'])
  assert.equal(counts(found.get('leaves-process')), [1, 0, 0])
  const pid = Number(/sleeper (\d+)/.exec(found.get('leaves-process')?.log ?? '')?.[1])
  // Dead, though perhaps not yet buried: an orphan is waited for by the system's first process, when it comes to it.
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  assert.is(command, '')
})

test('an abort ends the worker in the middle of a test', async () => {
  const abort = new AbortController()
  const running = (async () => {
    for await (const result of runFiles([fixture('green'), fixture('hangs')], {
      jobs: 1,
      limitMs: 60_000,
      signal: abort.signal,
    })) {
      assert.is(result.passed > 0, true)
      abort.abort(new Error('enough'))
    }
  })()
  try {
    await running
    assert.unreachable('it must end with the reason of the abort')
  } catch (error) {
    assert.is((error as Error).message, 'enough')
  }
})

test('ends with the true totals on the last line, and the exit code says the same', async () => {
  // Not the file that forgets `.run()`: what it leaves is told of or not, by which worker takes the next file.
  const one = await command(['green', 'fails', 'import-error', 'skips'])
  assert.is(one.lastLine, '4 passed, 2 failed, 1 skipped')
  assert.is(one.code, 1)
  const two = await command(['green'])
  assert.is(two.lastLine, '2 passed, 0 failed')
  assert.is(two.code, 0)
})

test('writes the totals to a file instead, where one is named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidepool-totals-'))
  try {
    const totals = join(folder, 'totals')
    const { output } = await command(['green', 'skips'], { TIDEPOOL_TOTALS: totals })
    assert.is(await readFile(totals, 'utf8'), '3 0 1\n')
    assert.not.match(output, /^\d+ passed, \d+ failed/m)
  } finally {
    await rm(folder, { recursive: true })
  }
})

function command(names: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return new Promise<{ code: number; output: string; lastLine: string }>((resolve) => {
    const { TIDEPOOL_TOTALS: _, ...outer } = process.env
    const args = ['--import', import.meta.resolve('tsx'), runner, ...names.map(fixture)]
    execFile(process.execPath, args, { env: { ...outer, ...env } }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0
      resolve({ code, output: stdout + stderr, lastLine: stdout.trimEnd().split('\n').at(-1) ?? '' })
    })
  })
}

test.run()
