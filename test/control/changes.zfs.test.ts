import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withRealDaemon } from '../support/real-daemon.ts'
import { PLAIN } from '../support/tree-changes.ts'

const test = suite('changes and files of old points, on the ZFS of this machine')

const owned = ['--owner', `${PLAIN.uid}:${PLAIN.gid}`]

test('what was added, removed, changed and moved since a point is told, by ZFS or by a walk', () =>
  withRealDaemon(async ({ run }) => {
    const { json } = await run('--json', 'create', 'p1', ...owned)
    const path = String(json[0]?.realPath)
    const sh = (lines: string): Buffer => execFileSync('sh', ['-euc', lines], { cwd: path })
    sh(
      'mkdir folder empty; echo a >stays; echo b >folder/goes; echo c >changes; echo d >moves; ln -s stays link',
    )
    const point = String((await run('--json', 'save', 'p1')).json[0]?.point)
    sh('echo e >new; rm folder/goes; echo more >>changes; mv moves "folder/moved now"; chmod 700 empty; sync')
    const { code, stdout, stderr } = await run('changes', 'p1', '--point', point)
    assert.is(code, 0, stderr)
    assert.equal(stdout.toString().trim().split('\n').sort(), [
      '+ new',
      '- folder/goes',
      'M changes',
      'M empty/',
      'R moves -> folder/moved now',
    ])
    const { json: now } = await run('--json', 'save', 'p1')
    assert.is((await run('changes', 'p1', '--point', String(now[0]?.point))).stdout.toString(), 'nothing\n')
  }))

test('a file of a point comes back to its owner, and a link that he has put in the way leads nowhere', () =>
  withRealDaemon(async ({ run }) => {
    const { json } = await run('--json', 'create', 'p1', ...owned)
    const path = String(json[0]?.realPath)
    const sh = (lines: string): string => execFileSync('sh', ['-euc', lines], { cwd: path, encoding: 'utf8' })
    sh(`mkdir folder; echo old >folder/file; chown -R ${PLAIN.uid}:${PLAIN.gid} .; sync`)
    const point = String((await run('--json', 'save', 'p1')).json[0]?.point)
    sh('rm folder/file')
    const back = await run('restore', 'p1', 'folder/file', '--point', point)
    assert.is(back.code, 0, back.stderr)
    assert.is(sh('cat folder/file; stat -c %u folder/file'), `old\n${PLAIN.uid}\n`)
    sh('rm -r folder; mkdir ../outside; chmod 755 ../outside; ln -s ../outside folder')
    const refused = await run('restore', 'p1', 'folder/file', '--point', point)
    assert.is(refused.code, 1)
    assert.match(refused.stderr, /Permission denied/)
    assert.is(sh('ls ../outside; rmdir ../outside'), '')
  }))

test.run()
