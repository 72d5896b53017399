import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isGone, type ProcessIdentity, thisProcess } from '../../pipeline/base/process.ts'

const test = suite('process identity')

function identityHere(): ProcessIdentity {
  const identity = thisProcess()
  assert.ok(identity, 'these tests need Linux')
  return identity
}

function identityOf(child: ChildProcess): ProcessIdentity {
  assert.ok(child.pid)
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'latin1')
  const startTicks = BigInt(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '')
  return { ...identityHere(), pid: child.pid, startTicks }
}

test('this process is not gone, and is the same each time it is asked', () => {
  assert.equal(identityHere(), identityHere())
  assert.is(identityHere().pid, process.pid)
  assert.not(isGone(identityHere()))
})

test('a child is there while it runs and gone after it was killed', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  const identity = identityOf(child)
  assert.not(isGone(identity))
  child.kill('SIGSTOP')
  assert.not(isGone(identity), 'a stopped process is not gone')
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.ok(isGone(identity))
})

test('a pid that somebody else has now does not count', () => {
  const here = identityHere()
  assert.ok(isGone({ ...here, startTicks: here.startTicks - 1n }))
})

test('another boot may be another machine: never gone by that alone', () => {
  const here = identityHere()
  const elsewhere = { ...here, bootId: here.bootId.replace(/^./, (x) => (x === '0' ? '1' : '0')) }
  assert.not(isGone({ ...elsewhere, pid: 4_194_303, startTicks: 1n }))
})

test('numbers that are no pid prove nothing', () => {
  for (const pid of [0, -1, 1.5, Number.NaN]) assert.not(isGone({ ...identityHere(), pid }))
})

test.run()
