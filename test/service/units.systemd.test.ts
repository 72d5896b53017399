/** The shipped units: what systemd itself says of them, and that nothing in them hides a mount. */
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { temporaryDirectory } from '../support/directory.ts'

const run = promisify(execFile)
const test = suite('service: units')
const TOP = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(TOP, 'systemd')

/** Of whoever mounts for others: each of these gives the service a mount namespace of its own. */
const HIDES =
  /^(Protect(System|Home|Kernel\w+|ControlGroups|Proc)|ProcSubset|Private(Tmp|Devices|Mounts|IPC|Users|Network)|(ReadOnly|ReadWrite|Inaccessible|Exec|NoExec)Paths|Bind\w*Paths|TemporaryFileSystem|RootDirectory|RootImage|MountFlags|MountImages|ExtensionImages|DynamicUser|LogNamespace)=/m
const MOUNTS = ['tidepool.service', 'tidepool-access.service']

/** With programs in them that are there. */
async function withUnits(body: (folder: string, names: readonly string[]) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    const names = (await readdir(FOLDER)).filter((name) => /\.(service|target|timer)$/.test(name))
    for (const name of names) {
      const text = await readFile(join(FOLDER, name), 'utf8')
      await writeFile(join(path, name), text.replaceAll('/usr/bin/node', process.execPath))
    }
    // The one that ships as a file to be copied is checked where it is meant to be.
    await mkdir(join(path, 'tidepool.service.d'))
    await writeFile(
      join(path, 'tidepool.service.d/password.conf'),
      await readFile(join(FOLDER, 'cassandra-password.conf')),
    )
    await body(path, names)
  } finally {
    await remove()
  }
}

test('systemd finds nothing wrong in any unit', () =>
  withUnits(async (folder, names) => {
    assert.ok(names.length >= 5)
    const { stdout, stderr } = await run('systemd-analyze', [
      'verify',
      '--man=no',
      ...names.map((name) => join(folder, name)),
    ])
    // Of the machine's own units it complains too.
    const about = `${stdout}${stderr}`.split('\n').filter((line) => /tidepool/.test(line))
    assert.equal(about, [])
  }))

test('a word that systemd does not know would be seen', () =>
  withUnits(async (folder) => {
    const file = join(folder, 'tidepool.service')
    await writeFile(file, `${await readFile(file, 'utf8')}\n[Service]\nNoSuchOption=yes\n`)
    const { stderr } = await run('systemd-analyze', ['verify', '--man=no', file])
    assert.match(stderr, /tidepool\.service.*NoSuchOption/)
  }))

test('no service is exposed by more than 5.0, as systemd counts', () =>
  withUnits(async (folder, names) => {
    for (const name of names.filter((one) => one.endsWith('.service'))) {
      const args = ['security', '--offline=true', '--no-pager', join(folder, name)]
      const { stdout } = await run('systemd-analyze', args)
      const exposure = Number(/Overall exposure level.*: ([\d.]+)/.exec(stdout)?.[1])
      assert.ok(exposure <= 5, `${name}: ${exposure}`)
    }
  }))

test('no service that mounts has a mount namespace of its own', async () => {
  for (const name of MOUNTS) {
    const text = await readFile(join(FOLDER, name), 'utf8')
    assert.is(HIDES.exec(text)?.[0], undefined, name)
  }
  assert.match('ProtectSystem=full\n', HIDES)
})

test('every unit starts what the package has, and reads the configuration that is installed', async () => {
  for (const name of (await readdir(FOLDER)).filter((one) => one.endsWith('.service'))) {
    const text = await readFile(join(FOLDER, name), 'utf8')
    const commands = [...text.matchAll(/^Exec(?:Start|StartPre|Stop)=(.*)$/gm)]
      .map(([, command = '']) => command)
      .filter((command) => command !== '/bin/true')
    assert.ok(commands.length > 0)
    for (const command of commands) {
      const [program, script = ''] = command.split(' ')
      assert.is(program, '/usr/bin/node')
      const inside = script.replace('/usr/lib/node_modules/tidepool/', '')
      const source = inside.replace(/^dist\/(.*)\.js$/, '$1.ts')
      assert.ok((await readFile(join(TOP, source), 'utf8')).length > 0, source)
      assert.match(command, / \/etc\/tidepool\/tidepool\.yaml\b/)
    }
  }
})

test('the access process neither starts nor ends with the daemon', async () => {
  const access = await readFile(join(FOLDER, 'tidepool-access.service'), 'utf8')
  const daemon = await readFile(join(FOLDER, 'tidepool.service'), 'utf8')
  assert.not.match(access, /^(BindsTo|PartOf|Requires|Requisite)=.*tidepool/m)
  assert.not.match(daemon, /^(BindsTo|PartOf|Requires|Requisite|Conflicts)=.*tidepool-access/m)
  assert.match(daemon, /^KillMode=process$/m)
})

test.run()
