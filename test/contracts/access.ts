/** What every access layer promises, on real paths that are walked by other processes; projects are stand-ins without a ZFS. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { AccessCallbacks, AccessLayer, Shown } from '../../daemon/access/layer.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { mountStandIn, unmountStandIn } from '../support/access.ts'
import { eventually, type Walked, walk as walkAs } from '../support/fuse.ts'

export interface LayerWorld {
  /** A new one, as the next daemon would make it. */
  readonly layer: () => AccessLayer
  /** Where its paths begin, and where projects are mounted. */
  readonly root: string
  readonly mountRoot: string
}

export type WithLayer = (body: (world: LayerWorld) => Promise<void>) => Promise<void>

const P = projectId('p1')
const Q = projectId('p2')

/** Opens stand-ins, and remembers what it was asked for. */
class Owner implements AccessCallbacks {
  readonly opened: ProjectId[] = []
  readonly seen = new Set<ProjectId>()
  readonly shown = new Set<Shown>()
  signals: AbortSignal[] = []
  failure: string | undefined
  hold: Promise<void> | undefined
  readonly #mountRoot: string
  readonly #list: readonly ProjectId[]

  constructor(mountRoot: string, list: readonly ProjectId[] = []) {
    this.#mountRoot = mountRoot
    this.#list = list
  }

  readonly open = async (id: ProjectId, signal: AbortSignal): Promise<string> => {
    this.opened.push(id)
    this.signals.push(signal)
    if (this.failure !== undefined) throw new TidepoolError(this.failure, this.failure)
    await this.hold
    return mountStandIn(this.#mountRoot, id)
  }
  readonly listed = (what: Shown) => {
    this.shown.add(what)
    return this.#list
  }
  readonly used = (ids: readonly ProjectId[]): void => {
    for (const id of ids) this.seen.add(id)
  }
}

/** All of it for root, and all of it for somebody who may do nothing but use what is his. */
export function accessContract(name: string, withLayer: WithLayer): void {
  for (const plain of [false, true]) contractAs(plain, name, withLayer)
}

function contractAs(plain: boolean, name: string, withLayer: WithLayer): void {
  const test = suite(`access by ${name}, for ${plain ? 'a plain user' : 'root'}`)
  const walk = (lines: string): Promise<Walked> => walkAs(lines, { plain })

  const withStarted = (
    body: (world: LayerWorld & { readonly owner: Owner; readonly started: AccessLayer }) => Promise<void>,
    list: readonly ProjectId[] = [],
  ): Promise<void> =>
    withLayer(async (world) => {
      const owner = new Owner(world.mountRoot, list)
      const started = world.layer()
      await started.start(owner)
      try {
        await body({ ...world, owner, started })
      } finally {
        await started.stop()
      }
    })

  test('the first touch opens a project, and no touch after it asks again', () =>
    withStarted(async ({ root, owner }) => {
      assert.is((await walk(`cat ${root}/p1/file`)).stdout, 'p1')
      const again = await walk(`for i in $(seq 200); do cat ${root}/p1/file || exit 1; done | wc -c`)
      assert.is(again.stdout.trim(), '400')
      assert.equal(owner.opened, [P])
    }))

  test('what was mounted before the start asks nobody', () =>
    withLayer(async ({ layer, root, mountRoot }) => {
      await mountStandIn(mountRoot, P)
      const owner = new Owner(mountRoot)
      const started = layer()
      await started.start(owner)
      assert.is((await walk(`cat ${root}/p1/file`)).stdout, 'p1')
      await started.stop()
      assert.equal(owner.opened, [])
    }))

  test('a name that is no id does not exist, and nobody is asked for it', () =>
    withStarted(async ({ root, owner }) => {
      for (const trick of [
        'A',
        '.hidden',
        '-a',
        "'a b'",
        'a_b',
        'x.y',
        `${'x'.repeat(64)}`,
        "'$(echo)'",
        "'*'",
      ]) {
        const { stderr } = await walk(`stat -- ${root}/${trick} ${root}/${trick}/`)
        assert.is(
          stderr.match(/No such file or directory|File name too long/g)?.length,
          2,
          `${trick}: ${stderr}`,
        )
      }
      assert.equal(owner.opened, [])
    }))

  test('looking at names, at what they are and at the list opens nothing', () =>
    withStarted(
      async ({ root, owner }) => {
        const looks = `stat -c %F ${root}/p1 ${root}/nobody-has-it; test -L ${root}/p2; ls ${root}; ls -d ${root}/p1; find ${root} -type l; du -s ${root}; echo ${root}/*`
        const { code } = await walk(looks)
        assert.is(code, 0)
        assert.equal(owner.opened, [])
      },
      [P, Q],
    ))

  test('the list shows what is listed and what is mounted', () =>
    withStarted(
      async ({ root, mountRoot, owner }) => {
        await mountStandIn(mountRoot, projectId('here'))
        await eventually('it is shown', 10_000, async () => {
          const { stdout } = await walk(`ls ${root}`)
          return stdout === 'here\np1\np2\n'
        })
        assert.equal([...owner.shown], ['resident'])
      },
      [P, Q],
    ))

  test('what was mounted by name is listed at the first look after it', () =>
    withStarted(async ({ root, mountRoot, started }) => {
      assert.is((await walk(`cat ${root}/p1/file; ls ${root}`)).stdout, 'p1p1\n')
      await mountStandIn(mountRoot, projectId('new'))
      started.mounted(projectId('new'))
      await sleep(200)
      assert.is((await walk(`ls ${root}`)).stdout, 'new\np1\n')
    }))

  for (const [code, text] of [
    ['project-unknown', 'No such file or directory'],
    ['project-destroyed', 'No such file or directory'],
    ['owned-elsewhere', 'Device or resource busy'],
    ['quota-exceeded', 'Disk quota exceeded'],
    ['out-of-space', 'No space left on device'],
    ['open-timeout', 'Connection timed out'],
    ['host-lost', 'Resource temporarily unavailable'],
    ['store-unavailable', 'Input/output error'],
  ] as const)
    test(`an open that fails with ${code} is shown as: ${text}`, () =>
      withStarted(async ({ root, owner }) => {
        owner.failure = code
        const { stderr } = await walk(`cat ${root}/p1/file`)
        assert.match(stderr, text)
        // A failure is nothing that a layer remembers.
        owner.failure = undefined
        assert.is((await walk(`cat ${root}/p1/file`)).stdout, 'p1')
      }))

  test('what was unmounted and forgotten is asked for again at once, and was never seen empty', () =>
    withStarted(async ({ root, mountRoot, owner, started }) => {
      for (let round = 1; round <= 5; round++) {
        assert.is((await walk(`cat ${root}/p1/file`)).stdout, 'p1')
        assert.is(owner.opened.length, round)
        await unmountStandIn(mountRoot, P)
        await started.forget(P)
      }
    }))

  test('which projects are reached by their path is told, again and again', () =>
    withStarted(async ({ root, owner }) => {
      for (let round = 0; round < 2; round++) {
        owner.seen.clear()
        await walk(`cat ${root}/p1/file`)
        await eventually('it is told', 10_000, async () => owner.seen.has(P))
      }
      assert.equal(owner.opened, [P])
    }))

  test('stopped while somebody waits: the signal tells, nothing is asked any more, and the next one serves who waits', () =>
    withStarted(async ({ root, mountRoot, owner, started, layer }) => {
      await walk(`cat ${root}/p2/file`)
      owner.hold = new Promise(() => {})
      const waiting = walk(`cat ${root}/p1/file`)
      await eventually('it waits', 5000, async () => owner.opened.includes(P))
      await started.stop()
      assert.ok(owner.signals.at(-1)?.aborted)
      await sleep(300)
      assert.is(
        (await walk(`cat ${root}/p2/file`)).stdout,
        'p2',
        'what is mounted is reached without a daemon',
      )
      const next = new Owner(mountRoot)
      const again = layer()
      await again.start(next)
      assert.is((await waiting).stdout, 'p1')
      assert.equal(next.opened, [P])
      await again.stop()
    }))

  test.run()
}
