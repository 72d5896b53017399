import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Listing } from '../../daemon/access/listing.ts'
import { Mounted } from '../../daemon/access/mounted.ts'
import { Paths } from '../../daemon/access/paths.ts'
import type { ErrnoError } from '../../native/fuse/errno.ts'
import { parseMountinfo } from '../../native/mount/mountinfo.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'

const test = suite('access: mounted')

const P = projectId('p1')

/** A mountinfo that a test changes, and how often it was read. */
function world() {
  const clock = new ManualClock()
  const points = new Set<string>(['/', '/real', '/real/p1/inside', '/real/Not-An-Id', '/realp2'])
  const state = { reads: 0, beforeRead: async () => {} }
  const mounted = new Mounted({
    mountRoot: '/real',
    clock,
    read: async () => {
      state.reads++
      const lines = [...points].map((point) => `1 1 0:1 / ${point} rw - tmpfs none rw`)
      await state.beforeRead()
      return parseMountinfo(lines.join('\n'))
    },
  })
  return { clock, points, state, mounted }
}

test('a yes is answered from memory for a second, a no is read each time', async () => {
  const { clock, points, state, mounted } = world()
  assert.not(await mounted.has('/real/p1'))
  points.add('/real/p1')
  assert.ok(await mounted.has('/real/p1'))
  assert.is(state.reads, 2)
  for (let times = 0; times < 100; times++) assert.ok(await mounted.has('/real/p1'))
  assert.is(state.reads, 2)
  points.delete('/real/p1')
  await clock.advance(1000)
  assert.not(await mounted.has('/real/p1'))
})

test('forgotten, nothing is a yes before it was read again, also by a reading that was under way', async () => {
  const { points, state, mounted } = world()
  points.add('/real/p1')
  assert.ok(await mounted.has('/real/p1'))
  mounted.forget()
  // It has seen the mount already when that goes.
  state.beforeRead = async () => {
    if (!points.delete('/real/p1')) return
    mounted.forget()
  }
  assert.not(await mounted.has('/real/p1'))
})

test('what is held is asked for though it is mounted, until it is released', async () => {
  const { points, state, mounted } = world()
  points.add('/real/p1')
  state.beforeRead = async () => mounted.hold('/real/p1')
  assert.not(await mounted.has('/real/p1'), 'also by a reading that was under way')
  assert.not(await mounted.has('/real/p1'))
  state.beforeRead = async () => {}
  mounted.release('/real/p1')
  assert.ok(await mounted.has('/real/p1'))
  mounted.hold('/real/p1')
  mounted.release()
  assert.ok(await mounted.has('/real/p1'))
})

test('many who ask at once are answered by readings that began after they asked, two at the most', async () => {
  const { points, state, mounted } = world()
  const early = mounted.has('/real/p1')
  points.add('/real/p1')
  const late = await Promise.all(Array.from({ length: 100 }, () => mounted.has('/real/p1')))
  await early
  assert.ok(late.every(Boolean))
  assert.is(state.reads, 2)
})

test('only what is mounted right at an id is a project', async () => {
  const { points, mounted } = world()
  points.add('/real/p1')
  await mounted.refresh()
  assert.equal(mounted.ids, ['p1'])
})

test('what is mounted asks no daemon; what is not is opened, and must be mounted where the daemon says', async () => {
  const { points, mounted } = world()
  const asked: ProjectId[] = []
  const used: (readonly ProjectId[])[] = []
  let listens = true
  const paths = new Paths('/real', mounted, {
    open: async (id) => {
      asked.push(id)
      if (id === 'p1') points.add('/elsewhere')
      return id === 'p1' ? '/elsewhere' : `/real/${id}`
    },
    used: (ids) => {
      if (listens) used.push(ids)
      return listens
    },
  })
  points.add('/real/here')
  assert.is(await paths.of(projectId('here')), '/real/here')
  assert.equal(asked, [])
  assert.is(await paths.of(P), '/elsewhere')
  try {
    await paths.of(projectId('gone'))
    assert.unreachable()
  } catch (error) {
    assert.is((error as ErrnoError).errno, 'EAGAIN')
  }
  // Kept while nobody listens, told once.
  listens = false
  paths.tellUsed()
  listens = true
  paths.tellUsed()
  paths.tellUsed()
  assert.equal(used, [['here', 'p1']])
})

test('a listing is from memory: what is mounted and what the daemon said last, brought up to date behind it', async () => {
  const { clock, points, mounted } = world()
  const lists: (readonly ProjectId[] | undefined)[] = [[P, projectId('p2')], undefined, []]
  let asked = 0
  const listing = (browse: 'resident' | 'none') =>
    new Listing(browse, mounted, { list: async () => lists[asked++] as ProjectId[] | undefined }, clock)
  points.add('/real/p1')
  const shown = listing('resident')
  assert.equal(shown.ids, [])
  await settle()
  assert.equal(shown.ids, ['p1', 'p2'])
  assert.is(asked, 1, 'so soon it is not asked again')
  await clock.advance(5000)
  assert.equal(shown.ids, ['p1', 'p2'])
  await settle()
  assert.equal(shown.ids, ['p1', 'p2'], 'no daemon answered')
  await clock.advance(5000)
  shown.ids
  await settle()
  assert.equal(shown.ids, ['p1'])
  assert.equal(listing('none').ids, [])
  await settle()
  assert.is(asked, 3)
})

test.run()
