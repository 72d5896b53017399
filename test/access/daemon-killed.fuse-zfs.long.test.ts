/** The daemon is killed and started again while users work in what is mounted: they notice nothing, and nothing is lost. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually, killed, walk } from '../support/fuse.ts'
import { type Host, withHosts } from '../support/hosts.ts'
import { PLAIN } from '../support/tree-changes.ts'

const test = suite('access: the daemon is killed under load')

const WRITER = fileURLToPath(new URL('../support/path-writer.mjs', import.meta.url))
const PROJECTS = 20
const WRITERS = 4
const KILLS = Math.max(1, Math.round(4 * Number(process.env.TIDEPOOL_LONG ?? '0.1')))

interface Told {
  readonly written: Readonly<Record<string, number>>
  readonly errors: readonly string[]
}

/** As the projects' owner; ends with what it tells. */
function writer(directories: readonly string[]): { readonly end: () => Promise<Told> } {
  const child = spawn(process.execPath, [WRITER, ...directories], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...PLAIN,
  })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  return {
    end: async () => {
      const closed = once(child, 'close')
      child.kill('SIGTERM')
      await closed
      return JSON.parse(printed.split('\n')[1] ?? '') as Told
    },
  }
}

const lines = (count: number): string => Array.from({ length: count }, (_, line) => `${line}\n`).join('')

const headsOf = (host: Host, ids: readonly string[]): Promise<string[]> =>
  Promise.all(ids.map(async (id) => String((await host.client.call('GET', `/v1/projects/${id}`)).head)))

test('twenty projects are written by path all the while: not one error, no unmount, nothing lost', () =>
  withHosts(
    async ([host]) => {
      if (!host) throw new Error('there is no host')
      let daemon = await host.daemon()
      await host.access()
      const ids = Array.from({ length: PROJECTS }, (_, index) => `p${index}`)
      for (const id of ids) await host.create(id, PLAIN)
      const all = [...ids].sort()
      assert.equal(await host.mounted(), all)
      const share = PROJECTS / WRITERS
      const writers = Array.from({ length: WRITERS }, (_, index) =>
        writer(ids.slice(index * share, (index + 1) * share).map((id) => `${host.root}/${id}`)),
      )
      const told: Told[] = []
      try {
        for (let kill = 0; kill < KILLS; kill++) {
          const before = await headsOf(host, ids)
          await eventually('one is saved, others are being so', 90_000, async () =>
            (await headsOf(host, ids)).some((head, index) => head !== before[index]),
          )
          await killed(daemon.child)
          assert.equal(await host.mounted(), all, 'a kill unmounts nothing')
          daemon = await host.daemon()
          assert.equal(await host.mounted(), all, 'nor does a start')
        }
      } finally {
        for (const one of writers) told.push(await one.end())
      }
      assert.equal(
        told.flatMap(({ errors }) => errors),
        [],
      )
      const written = Object.assign({}, ...told.map((one) => one.written)) as Record<string, number>
      for (const id of ids) {
        const path = `${host.root}/${id}`
        const count = written[path] ?? 0
        assert.ok(count > 10, `${id}: ${count} writes`)
        assert.is((await walk(`cat ${path}/log`, { plain: true })).stdout, lines(count), `${id} on the disk`)
      }
      // From the store alone, a few of them: each costs a receive.
      for (const id of ids.slice(0, 4)) {
        await host.ask(id, 'evict')
        const path = `${host.root}/${id}`
        const { stdout, stderr } = await walk(`cat ${path}/log`, { plain: true, limitMs: 100_000 })
        assert.is(stdout, lines(written[path] ?? 0), `${id} from the store: ${stderr}`)
      }
    },
    { config: ['save: {interval: 4s}'] },
  ))

test.run()
