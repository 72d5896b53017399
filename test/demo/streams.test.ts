/** The demonstration that every machine can play, as a process, and what it leaves. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fixtures } from '../../daemon/demo/fixtures.ts'
import { leftPlaces, makePlace, removePlace } from '../../daemon/demo/place.ts'
import { Steps } from '../../daemon/demo/steps.ts'
import { playStreams } from '../../daemon/demo/streams.ts'
import { codeOf } from '../../pipeline/base/errors.ts'
import { digestOf } from '../../pipeline/transfer/digest.ts'
import { rejection } from '../contracts/values.ts'
import { runTidepool } from '../support/command-child.ts'
import { temporaryDirectory } from '../support/directory.ts'

const test = suite('demo --streams')

test('played by the command, each step is told with its time, and it ends well', async () => {
  const { code, stdout, stderr } = await runTidepool(['demo', '--streams'])
  assert.is(code, 0, stderr)
  const lines = stdout.toString().trimEnd().split('\n')
  for (const line of lines.slice(0, -1)) assert.match(line, /^ +[0-9]+\.[0-9]{2} s {2}\S/)
  assert.match(stdout.toString(), /verify finds it: chunk 2 of 4 is damaged\n/)
  assert.match(stdout.toString(), /to read it is refused/)
  assert.match(lines.at(-1) ?? '', /^All of it was as it should be/)
})

test('for machines it is one object', async () => {
  const { code, stdout } = await runTidepool(['--json', 'demo', '--streams'])
  assert.is(code, 0)
  const { steps, elapsedMs } = JSON.parse(stdout.toString())
  assert.is(steps.length, 8)
  assert.type(elapsedMs, 'number')
})

test('the streams that come with the program are those that zfs send was seen to write', async () => {
  for (const { sha256, bytes } of await fixtures()) assert.is(digestOf(bytes).toString('hex'), sha256)
  const { files } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    files: string[]
  }
  for (const name of ['full.zstream', 'incr.zstream', 'facts.json'])
    assert.ok(files.includes(`test/fixtures/streams/zfs-2.3.2/${name}`), `${name} is in the package`)
})

test('interrupted, it ends with the reason at the next step', async () => {
  const { path, remove } = await temporaryDirectory()
  try {
    const stop = new AbortController()
    const steps = new Steps(stop.signal, async () => {
      if (steps.done.length === 3) stop.abort(new Error('interrupted'))
    })
    const error = await rejection(playStreams(path, steps, stop.signal), 'an interrupted demonstration')
    assert.is((error as Error).message, 'interrupted')
    assert.is(steps.done.length, 3)
  } finally {
    await remove()
  }
})

test('what a killed one left is found, and nothing else', async () => {
  const { path, remove } = await temporaryDirectory()
  try {
    const mine = await makePlace(path)
    const owner = JSON.parse(await readFile(join(mine, 'owner.json'), 'utf8'))
    const child = spawn('true')
    await once(child, 'exit')
    const left = async (name: string, text: string): Promise<string> => {
      await mkdir(join(path, name))
      await writeFile(join(path, name, 'owner.json'), text)
      return join(path, name)
    }
    const gone = await left('tidepool-demo-00000001', JSON.stringify({ ...owner, pid: child.pid }))
    await left('tidepool-demo-00000002', '{"bootId":')
    await left('tidepool-demo-00000003', JSON.stringify({ ...owner, bootId: 'another', pid: child.pid }))
    await left('somebody-00000004', JSON.stringify({ ...owner, pid: child.pid }))
    assert.equal(await leftPlaces(path), [gone])
    await removePlace(gone)
    assert.equal(await leftPlaces(path), [])
    assert.ok((await stat(mine)).isDirectory())
    await rm(mine, { recursive: true })
  } finally {
    await remove()
  }
})

test('without root the other demonstration names what is missing, and this one', async () => {
  if (process.getuid?.() === 0) return void assert.is(codeOf(await asNobody()), 'demo-needs')
  const { code, stderr } = await runTidepool(['demo'])
  assert.is(code, 1)
  assert.match(stderr, /lacks what projects need: root[\s\S]*tidepool demo --streams/)
})

/** As if it were run by a plain user: the process cannot become one and come back. */
async function asNobody(): Promise<unknown> {
  const { whatIsNeeded } = await import('../../daemon/demo/machine.ts')
  const real = process.getuid
  process.getuid = () => 65534
  try {
    return await rejection(whatIsNeeded(new AbortController().signal), 'a plain user')
  } finally {
    process.getuid = real as () => number
  }
}

test.run()
