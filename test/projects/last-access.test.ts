import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type LastAccess, openLastAccess } from '../../daemon/projects/last-access.ts'
import { DEFAULT_RESIDENCY, planResidency } from '../../daemon/projects/residency.ts'
import type { Clock } from '../../pipeline/base/clock.ts'
import { errnoOf } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { ManualClock } from '../support/manual-clock.ts'

const test = suite('projects: last access')

const HOUR = 3_600_000
const [A, B, C] = ['a', 'b', 'c'].map(projectId) as [
  ReturnType<typeof projectId>,
  ReturnType<typeof projectId>,
  ReturnType<typeof projectId>,
]

async function withState(body: (directory: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryDirectory()
  try {
    await body(join(path, 'state'))
  } finally {
    await remove()
  }
}

/** The same day, so many milliseconds later, on a monotonic clock that begins anew. */
function laterBy(ms: number): ManualClock & Clock {
  const clock = new ManualClock()
  const wallMs = clock.wallMs.bind(clock)
  clock.wallMs = () => wallMs() + ms
  return clock
}

/** One process, from its start to its stop. */
async function process<T>(
  directory: string,
  clock: ManualClock,
  body: (access: LastAccess, found: Awaited<ReturnType<typeof openLastAccess>>['found']) => Promise<T> | T,
): Promise<T> {
  const { access, found } = await openLastAccess(directory, { clock, intervalMs: 5_000 })
  const ending = new AbortController()
  const ran = access.run(ending.signal)
  try {
    return await body(access, found)
  } finally {
    ending.abort(new Error('stopped'))
    await ran
    assert.is(clock.pendingSleeps, 0)
  }
}

/** What is in the file, once it is there with what is expected: writes take real time. */
async function written(directory: string, done: (text: string) => boolean): Promise<string> {
  for (let tries = 0; tries < 6000; tries++) {
    const text = await readFile(join(directory, 'last-access.json'), 'utf8').catch(() => '')
    if (done(text)) return text
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('it was not written')
}

test('after a restart the plan knows who was idle, and for how long', () =>
  withState(async (directory) => {
    const clock = new ManualClock()
    await process(directory, clock, async (access, found) => {
      assert.equal(found, { kind: 'missing' })
      access.used(A)
      await clock.advance(HOUR)
      access.used(B)
      await clock.advance(HOUR)
      assert.is(access.idleMs(A), 2 * HOUR)
      assert.is(access.idleMs(B), HOUR)
    })
    const later = laterBy(3 * HOUR)
    await process(directory, later, async (access, found) => {
      assert.equal(found, { kind: 'read', projects: 2 })
      assert.is(access.idleMs(A), 3 * HOUR)
      assert.is(access.idleMs(B), 2 * HOUR)
      assert.is(access.idleMs(C), 0, 'nothing is known of it: as if it was used when this began')
      await later.advance(HOUR)
      assert.is(access.idleMs(C), HOUR)
      const residents = [C, B, A].map((id) => ({
        id,
        inUse: false,
        pinned: false,
        idleMs: access.idleMs(id),
        usedBytes: 10n,
      }))
      const plan = planResidency(residents, { usedBytes: 30n, totalBytes: 30n }, DEFAULT_RESIDENCY)
      assert.equal(
        plan.evict.map(({ id }) => id),
        [A],
      )
    })
  }))

test('what left the pool is forgotten, also what left while nobody looked', () =>
  withState(async (directory) => {
    await process(directory, new ManualClock(), (access) => {
      for (const id of [A, B, C]) access.used(id)
      access.forget(B)
    })
    await process(directory, laterBy(HOUR), (access, found) => {
      assert.equal(found, { kind: 'read', projects: 2 })
      access.keepOnly([C])
      assert.is(access.idleMs(A), 0)
      assert.is(access.idleMs(C), HOUR)
    })
    await process(directory, laterBy(HOUR), (_, found) => {
      assert.equal(found, { kind: 'read', projects: 1 })
    })
  }))

test('a crash loses no more than an interval, and the file is not written more often', () =>
  withState(async (directory) => {
    const clock = new ManualClock()
    const { access } = await openLastAccess(directory, { clock, intervalMs: 5_000 })
    const ending = new AbortController()
    const ran = access.run(ending.signal)
    access.used(A)
    const first = await written(directory, (text) => text.includes('"a"'))
    for (let second = 0; second < 4; second++) {
      access.used(B)
      await clock.advance(1_000)
    }
    assert.is(await readFile(join(directory, 'last-access.json'), 'utf8'), first)
    await clock.advance(1_000)
    await written(directory, (text) => text.includes('"b"'))
    // Here it crashes: what the next one reads is what is there now.
    const next = await openLastAccess(directory, { clock })
    assert.is(next.access.idleMs(A), 5_000)
    assert.is(next.access.idleMs(B), 2_000)
    ending.abort()
    await ran
    assert.equal(await readdir(directory), ['last-access.json'])
    assert.is((await stat(join(directory, 'last-access.json'))).mode & 0o777, 0o600)
  }))

for (const text of [
  '',
  '{"projects":{"a"',
  '[]',
  '{"projects":{"A/..":1}}',
  '{"projects":{"a":-1}}',
  '{"projects":{"a":"x"}}',
])
  test(`a file with ${JSON.stringify(text)} in it is told, and replaced`, () =>
    withState(async (directory) => {
      await mkdir(directory)
      await writeFile(join(directory, 'last-access.json'), text)
      await process(directory, new ManualClock(), (access, found) => {
        assert.is(found.kind, 'unusable')
        assert.ok(found.kind === 'unusable' && found.error instanceof Error)
        assert.is(access.idleMs(A), 0)
        access.used(A)
      })
      await process(directory, laterBy(HOUR), (access) => assert.is(access.idleMs(A), HOUR))
    }))

test('what can’t be written is told, and written as soon as it can be', () =>
  withState(async (directory) => {
    const clock = new ManualClock()
    await mkdir(join(directory, 'last-access.json'), { recursive: true })
    await process(directory, clock, async (access, found) => {
      assert.is(found.kind === 'unusable' && errnoOf(found.error), 'EISDIR')
      access.used(A)
      for (let tries = 0; access.error === undefined && tries < 6000; tries++)
        await new Promise((resolve) => setTimeout(resolve, 10))
      assert.is(errnoOf(access.error), 'EISDIR')
      await rm(join(directory, 'last-access.json'), { recursive: true })
      await clock.advance(5_000)
      await written(directory, (text) => text.includes('"a"'))
    })
  }))

test('a clock that was set back makes nothing idle for a negative time', () =>
  withState(async (directory) => {
    await process(directory, new ManualClock(), (access) => access.used(A))
    await process(directory, laterBy(-HOUR), (access) => assert.is(access.idleMs(A), 0))
  }))

test.run()
