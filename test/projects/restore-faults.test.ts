import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { liveName } from '../../daemon/projects/names.ts'
import { reconcile } from '../../daemon/projects/reconcile.ts'
import { restorePoint } from '../../daemon/projects/restore-point.ts'
import { removeRestored } from '../../daemon/projects/restored.ts'
import { lastPart } from '../../native/zfs/names.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { type FakeZfs, type Fault, withFakeZfs } from '../support/fake-zfs.ts'
import { datasets, P, type Points, read, withPoints } from '../support/project-points.ts'

const test = suite('projects: restores that fail')

const withFake = (body: (fake: FakeZfs, points: Points) => Promise<void>): Promise<void> =>
  withFakeZfs((fake) =>
    withPoints(
      (inner) => inner(fake),
      (points) => body(fake, points),
    ),
  )

/** All that changes anything where a point is copied from what the pool holds. */
const COPYING = ['send', 'receive', 'set readonly', 'rename', 'set mountpoint', 'mount']

for (const action of ['fail', 'die', 'die-after'] as const)
  test(`whichever of its commands ${action === 'fail' ? 'fails' : `is killed (${action})`}, the project is untouched, and the next try brings it`, () =>
    withFake(async ({ faults, calls }, { host, path, store, one, two }) => {
      const tries = [...COPYING.map((step) => [step, two, 'two'] as const), ['receive', one, 'one'] as const]
      for (const [step, point, text] of tries) {
        const before = await store.catalogue.read(P)
        const fault: Fault = { match: `^zfs ${step}`, action, times: 1, stderr: 'by order', exit: 1 }
        await calls()
        await faults(fault)
        const restored = await restorePoint(host, P, { guid: point }).catch((error: unknown) => {
          assert.ok(error instanceof TidepoolError, `${step}: ${error}`)
          return undefined
        })
        await faults()
        assert.ok(
          (await calls()).some((line) => new RegExp(fault.match).test(line)),
          `${step} is one of them`,
        )
        // What is there without a start in between is whole, or nobody's.
        const left = (await datasets(host)).filter((name) => name !== P && !name.startsWith('restored.'))
        assert.equal(left, [], step)
        const found = await reconcile(host)
        assert.equal([...found.unknown, ...found.renamed, ...found.left], [])
        assert.is(await read((await restorePoint(host, P, { guid: point })).path), text, step)
        if (restored) assert.is(await read(restored.path), text)
        assert.equal(await store.catalogue.read(P), before)
        assert.is(await read(path), 'three')
        assert.ok(await removeRestored(host, P, point))
        assert.equal(await datasets(host), [lastPart(liveName(host.parent, P))])
      }
    }))

test.run()
