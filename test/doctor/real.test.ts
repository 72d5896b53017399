/** The command as a process on this machine as it is: no two have the same to say, so its form is looked at, and what was given. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../daemon/doctor/checks.ts'
import { initStore } from '../../pipeline/stores/open.ts'
import { runTidepool } from '../support/command-child.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'

const test = suite('doctor on this machine')

interface Line {
  readonly check: string
  readonly verdict: string
  readonly found: string
  readonly mend?: string
}

async function withConfig(body: (file: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    const at = (name: string): string => join(path, name)
    await initStore(`dir:${at('store')}`)
    const lines = [`store: dir:${at('store')}`, 'dataset: tank/projects', `access: ${at('projects')}`]
    for (const name of ['mounts', 'state', 'run']) lines.push(`${name}: ${at(name)}`)
    await writeFile(at('tidepool.yaml'), lines.join('\n'))
    await body(at('tidepool.yaml'))
  } finally {
    await remove()
  }
}

test('every check has its line, the exit code tells the worst of them', () =>
  withConfig(async (config) => {
    const { code, stdout, stderr } = await runTidepool(['--json', 'doctor', '--config', config])
    const { lines } = JSON.parse(stdout.toString()) as { lines: Line[] }
    const names = new Set(lines.map(({ check }) => check))
    for (const { name } of checks) assert.ok(names.has(name), name)
    const verdictOf = (name: string) => lines.find(({ check }) => check === name)?.verdict
    for (const name of ['Node', 'configuration', 'store', 'consistency', 'clocks'])
      assert.is(verdictOf(name), 'ok', `${name}: ${stdout}`)
    assert.is(verdictOf('daemon'), 'warn')
    for (const { verdict, mend, check } of lines)
      if (verdict === 'warn') assert.ok(mend, `${check} says what mends it`)
    assert.is(code, lines.some(({ verdict }) => verdict === 'fail') ? 2 : 1)
    assert.is(stderr, '')
  }))

test('for people there is a table, and without a configuration it ends all the same', async () => {
  const { code, stdout } = await runTidepool(['doctor', '--config', '/nowhere/tidepool.yaml'])
  assert.is(code, 2)
  assert.match(stdout.toString(), /^OK {4}Node +[0-9.]+\n/)
  assert.match(stdout.toString(), /\nFAIL {2}configuration +can't read \/nowhere/)
  assert.match(stdout.toString(), /[0-9]+ things? to look at\n$/)
})

test('a store that nobody serves fails in its own line, and the command ends', () =>
  withConfig(async (config) => {
    const text = await readFile(config, 'utf8')
    await writeFile(config, text.replace(/^store: .*/, 'store: cassandra://127.0.0.1:1/k?dc=dc1'))
    const { code, stdout } = await runTidepool(['--json', 'doctor', '--config', config])
    const { lines } = JSON.parse(stdout.toString()) as { lines: Line[] }
    const verdicts = ['store', 'consistency', 'clocks'].map(
      (name) => lines.find(({ check }) => check === name)?.verdict,
    )
    assert.is(verdicts[0], 'fail')
    assert.not(verdicts.includes('ok'))
    assert.is(code, 2)
  }))

test('a ZFS that hangs and cannot be ended is told, and does not keep the command', () =>
  withFakeZfs(async ({ directory, faults }) => {
    await faults({ match: '.*', times: 100, action: 'hang', ignoreTerm: true })
    const PATH = `${directory}:${process.env.PATH}`
    const began = performance.now()
    const { stdout } = await runTidepool(['--json', 'doctor', '--config', '/nowhere'], { PATH })
    const { lines } = JSON.parse(stdout.toString()) as { lines: Line[] }
    const told = lines.find(({ check }) => check === 'zfs')
    assert.is(told?.verdict, 'fail')
    assert.match(told?.found ?? '', /has not ended within|no answer within|cannot be ended/)
    assert.ok(performance.now() - began < 60_000)
  }))

test.run()
