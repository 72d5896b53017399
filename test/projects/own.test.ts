/** Who may have a project whose owner has gone silent, and who has to be asked. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProjectHere } from '../../daemon/projects/create.ts'
import type { ProjectHost } from '../../daemon/projects/host.ts'
import { open } from '../../daemon/projects/open.ts'
import { TakeOverAsks } from '../../daemon/projects/take-over-asks.ts'
import { codeOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { TAKEOVER_AFTER_MS } from '../../pipeline/hosts/heartbeat.ts'
import { markDead } from '../../pipeline/hosts/take.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { rejection } from '../contracts/values.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { projectHost } from '../support/project-host.ts'

const test = suite('projects: who owns')
const P = projectId('p1')

interface Setting {
  readonly a: ProjectHost
  readonly b: ProjectHost
  readonly clock: ManualClock
}

/** A has the project and says nothing any more; B looks at it. */
const withSilent = (
  takeover: 'automatic' | 'ask',
  body: (setting: Setting) => Promise<void>,
): Promise<void> =>
  withFakeZfs((one) =>
    withFakeZfs(async (two) => {
      const store = memoryStore()
      const clock = new ManualClock()
      const a = await projectHost(one, store, { name: 'a' })
      const b = await projectHost(two, store, { name: 'b', clock, settings: { takeover } })
      await createProjectHere(a, P)
      assert.is(codeOf(await rejection(open(b, P))), 'owned-elsewhere')
      await clock.advance(TAKEOVER_AFTER_MS - 1)
      assert.is(codeOf(await rejection(open(b, P))), 'owned-elsewhere')
      await clock.advance(1)
      await body({ a, b, clock })
    }),
  )

test('automatic: it is taken by whoever wants it', () =>
  withSilent('automatic', async ({ b }) => {
    assert.is((await open(b, P)).project.statics.owner, b.host)
  }))

test('ask: it is told with the command, until a person has said so', () =>
  withSilent('ask', async ({ a, b, clock }) => {
    const asks = new TakeOverAsks(clock)
    const wanted = () => asks.during(P, () => open(b, P))
    const error = await rejection(wanted())
    assert.is(codeOf(error), 'takeover-asks')
    assert.ok(error instanceof TidepoolError)
    assert.match(error.hint ?? '', `tidepool host dead ${a.host}`)
    assert.equal(asks.all, [
      {
        id: P,
        owner: a.host,
        ownerName: error.facts.ownerName as string,
        command: `tidepool host dead ${a.host}`,
      },
    ])
    const row = await b.store.catalogue.readHost(a.host)
    assert.ok(row)
    assert.is(row.state, 'live')
    await markDead(b.store.catalogue, row)
    await wanted()
    assert.equal(asks.all, [])
  }))

test('what nobody wants any more is not told for ever', () =>
  withSilent('ask', async ({ b, clock }) => {
    const asks = new TakeOverAsks(clock)
    await rejection(asks.during(P, () => open(b, P)))
    await clock.advance(3_600_001)
    assert.equal(asks.all, [])
  }))

test.run()
