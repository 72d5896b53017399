import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { endHolders } from '../../../native/mount/end-holders.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { orphanIn } from '../../support/orphan.ts'

const test = suite('end of holders')

test('who listens to SIGTERM goes by it, who does not goes by SIGKILL after the grace', async () => {
  const { path, remove } = await temporaryDirectory()
  const polite = await orphanIn(path)
  const deaf = await orphanIn(path, { deaf: true })
  const elsewhere = await orphanIn('/')
  try {
    const { ended, spared } = await endHolders(path, { graceMs: 300 })
    const by = (pid: number) => ended.find((one) => one.pid === pid)?.by
    assert.equal([by(polite.pid), by(deaf.pid), spared], ['SIGTERM', 'SIGKILL', []])
    assert.equal([await polite.isAlive(), await deaf.isAlive()], [false, false])
    assert.ok(await elsewhere.isAlive())
    assert.equal((await endHolders(path, { graceMs: 300 })).ended, [])
  } finally {
    for (const one of [polite, deaf, elsewhere]) one.end()
    await remove()
  }
})

test('we ourselves, what we started and what is called ours are spared and named', async () => {
  const { path, remove } = await temporaryDirectory()
  await writeFile(join(path, 'file'), '')
  const file = await open(join(path, 'file'))
  const child = spawn('sh', ['-c', 'echo in; read -r _'], { cwd: path, stdio: ['pipe', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  const named = await orphanIn(path)
  try {
    const { ended, spared } = await endHolders(path, {
      graceMs: 300,
      isOurs: (line) => line.startsWith('sleep '),
    })
    assert.equal(
      spared.map(({ pid }) => pid).filter((pid) => [process.pid, child.pid, named.pid].includes(pid)).length,
      3,
    )
    assert.not(ended.some(({ pid }) => [process.pid, child.pid, named.pid].includes(pid)))
    assert.ok(await named.isAlive())
    assert.is(child.exitCode, null)
  } finally {
    named.end()
    child.stdin.end()
    await once(child, 'close')
    await file.close()
    await remove()
  }
})

test.run()
