/** What only a real process shows: signals, pipes, being killed, what is loaded. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Store } from '../../pipeline/stores/contract.ts'
import { tidepool } from '../support/command.ts'
import { runTidepool, spawnTidepool } from '../support/command-child.ts'
import { withDirectoryStore } from '../support/directory-store.ts'
import { streamBytes } from '../support/stream-generator.ts'

const test = suite('the command as a process')
const LONG = { seed: 9, bytes: 4_000_000, toGuid: 11n }

test('the launcher runs it, and the exit code is its own', async () => {
  const launcher = fileURLToPath(new URL('../../bin/tidepool', import.meta.url))
  const child = spawn(process.execPath, [launcher, 'stream', 'ls'], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (piece) => {
    stderr += piece
  })
  assert.is((await once(child, 'close'))[0], 2)
  assert.match(stderr, /^tidepool: no store is given/)
})

for (const signals of [['SIGINT'], ['SIGTERM'], ['SIGINT', 'SIGINT']] as const)
  test(`${signals.join(' and ')} in the middle of a put: 130, and nothing half-committed`, () =>
    withDirectoryStore(async (store, root) => {
      const { child, ended } = spawnTidepool(['--store', `dir:${root}`, 'stream', 'put', 'p'])
      child.stdin.write((await streamBytes(LONG)).subarray(0, 3_000_000))
      while (!(await hasWrite(store))) await new Promise((resolve) => setTimeout(resolve, 20))
      for (const signal of signals) child.kill(signal)
      const { code, stderr } = await ended
      assert.is(code, 130, stderr)
      const project = await store.catalogue.read('p' as never)
      assert.is(project?.statics.head, null)
      if (signals.length > 1) return
      assert.match(stderr, /nothing was committed: write \S+ was ended, and nothing of it remains\n/)
      assert.is(project?.statics.owner, null)
      for await (const entry of store.blobs.stored()) assert.unreachable(entry.what)
      for await (const host of store.catalogue.hosts()) assert.is(host.state, 'ended')
    }))

async function hasWrite(store: Store): Promise<boolean> {
  for await (const entry of store.blobs.stored()) return entry.writeId !== null
  return false
}

test('a reader who leaves early is no reason for words', () =>
  withDirectoryStore(async (_store, root) => {
    const url = `dir:${root}`
    const put = await tidepool(['--store', url, 'stream', 'put', 'p'], { stdin: await streamBytes(LONG) })
    assert.is(put.code, 0, put.stderr)
    const writeId = put.stdout.toString().split(' ')[2] ?? ''
    const { child, ended } = spawnTidepool(['--store', url, 'stream', 'get', `p/${writeId}`], {
      collect: false,
    })
    child.stdout.once('data', () => child.stdout.destroy())
    const { code, stderr } = await ended
    assert.is(code, 1)
    assert.is(stderr, '')
  }))

test('Ctrl-C ends a get although nobody reads what it brings', () =>
  withDirectoryStore(async (_store, root) => {
    const url = `dir:${root}`
    const put = await tidepool(['--store', url, 'stream', 'put', 'p'], { stdin: await streamBytes(LONG) })
    const writeId = put.stdout.toString().split(' ')[2] ?? ''
    const { child, ended } = spawnTidepool(['--store', url, 'stream', 'get', `p/${writeId}`], {
      collect: false,
    })
    await once(child.stdout, 'readable')
    child.kill('SIGINT')
    // The pipe is full and stays so until the process is gone.
    const [code] = await once(child, 'exit')
    child.stdout.resume()
    await ended
    assert.is(code, 130)
  }))

test('a get that is killed leaves no file of that name', () =>
  withDirectoryStore(async (_store, root) => {
    const url = `dir:${root}`
    const stdin = await streamBytes({ ...LONG, bytes: 40_000_000 })
    const put = await tidepool(['--store', url, 'stream', 'put', 'p'], { stdin })
    const writeId = put.stdout.toString().split(' ')[2] ?? ''
    const copies = join(root, '..')
    const { child, ended } = spawnTidepool([
      '--store',
      url,
      'stream',
      'get',
      `p/${writeId}`,
      join(copies, 'copy'),
    ])
    while (!(await readdir(copies)).some((name) => name.endsWith('.part')))
      await new Promise((resolve) => setTimeout(resolve, 1))
    child.kill('SIGKILL')
    const { signal } = await ended
    if (signal === 'SIGKILL') assert.not.ok((await readdir(copies)).includes('copy'))
  }))

test('each kind of store loads its own driver only', async () => {
  const loaded = async (url: string): Promise<string> => {
    const script = `
      import { createRequire } from 'node:module'
      const { openStore } = await import(${JSON.stringify(new URL('../../pipeline/stores/open.ts', import.meta.url).href)})
      await openStore(${JSON.stringify(url)}).then((opened) => opened.close(), () => {})
      const native = process.report.getReport().sharedObjects.some((path) => path.includes('lmdb'))
      const driver = Object.keys(createRequire('/').cache).some((path) => path.includes('cassandra-driver'))
      process.stdout.write([native && 'lmdb', driver && 'cassandra-driver'].filter(Boolean).join())`
    const tsx = import.meta.resolve('tsx')
    const child = spawn(process.execPath, ['--import', tsx, '--input-type=module', '-e', script])
    let text = ''
    child.stdout.on('data', (piece) => {
      text += piece
    })
    await once(child, 'close')
    return text
  }
  await withDirectoryStore(async (_store, root) => assert.is(await loaded(`dir:${root}`), 'lmdb'))
  assert.is(await loaded('cassandra://127.0.0.1:1/k?dc=d'), 'cassandra-driver')
})

test('two commands at once put into one directory, and both are stored', () =>
  withDirectoryStore(async (_store, root) => {
    const url = `dir:${root}`
    const puts = ['a', 'b'].map(async (project, at) => {
      const { child, ended } = spawnTidepool(['--store', url, 'stream', 'put', project])
      child.stdin.end(await streamBytes({ ...LONG, seed: at + 1 }))
      return ended
    })
    for (const { code, stderr } of await Promise.all(puts)) assert.is(code, 0, stderr)
    const { stdout } = await runTidepool(['--store', url, 'stream', 'verify', '--all'])
    assert.match(stdout.toString(), /^2 writes, .*: all whole\n$/)
  }))

test.run()
