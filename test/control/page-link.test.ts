/** The link to the status page as the command prints it, of a daemon that is a process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { routes } from '../../daemon/control/routes.ts'
import { tidepool } from '../support/command.ts'
import { withDaemon } from '../support/daemon.ts'
import { withFakeZfs } from '../support/fake-zfs.ts'
import { eventually } from '../support/fuse.ts'
import { ask } from '../support/raw-http.ts'

const test = suite('the link to the status page')

const MAIN = fileURLToPath(new URL('../support/tidepool.ts', import.meta.url))

interface Served {
  readonly socket: string
  /** Starts it; resolves once it answers. */
  start(): Promise<ChildProcess>
}

/** `tidepool daemon` over a fake ZFS in its PATH, with a status page. */
const withProcess = (body: (served: Served) => Promise<void>): Promise<void> =>
  withFakeZfs(async ({ directory, parent }) => {
    const at = (name: string): string => join(directory, name)
    const file = at('tidepool.yaml')
    const places = ['access', 'mounts', 'state', 'run'].map((name) => `${name}: ${at(name)}`)
    const text = [`store: dir:${at('store')}`, `dataset: ${parent}`, 'page: {port: 0}', ...places].join('\n')
    await writeFile(file, text)
    assert.is((await tidepool(['--store', `dir:${at('store')}`, 'store', 'init'])).code, 0)
    const socket = join(at('run'), 'tidepool.sock')
    const children: ChildProcess[] = []
    const start = async (): Promise<ChildProcess> => {
      const args = ['--import', import.meta.resolve('tsx'), MAIN, 'daemon', '--config', file]
      const env = { ...process.env, PATH: `${directory}:${process.env.PATH}` }
      const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
      children.push(child)
      let said = ''
      child.stderr.on('data', (part: Buffer) => {
        said += part
      })
      await eventually('it serves', 60_000, async () => {
        if (child.exitCode !== null) throw new Error(said)
        return said.includes('serving')
      })
      return child
    }
    try {
      await body({ socket, start })
    } finally {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }
    }
  })

const get = (link: URL, path: string, cookie?: string) =>
  ask({
    method: 'GET',
    port: Number(link.port),
    path,
    headers: { host: link.host, ...(cookie && { cookie }) },
  })

test('is printed with its token, by which the page opens; another start has another, and a dead one none', () =>
  withProcess(async ({ socket, start }) => {
    const web = () => tidepool(['--socket', socket, 'status', '--web'])
    const first = await start()
    const printed = await web()
    assert.is(printed.code, 0, printed.stderr)
    assert.match(printed.stdout.toString(), /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}\n$/)
    const link = new URL(printed.stdout.toString().trim())
    const opened = await get(link, link.pathname + link.search)
    assert.is(opened.status, 303)
    const [cookie = ''] = (opened.headers['set-cookie']?.[0] ?? '').split(';')
    assert.is((await get(link, '/', cookie)).status, 200)
    assert.is((await get(link, '/v1/status', cookie)).json.resident, 0)
    for (const wrong of ['/', '/?token=', `/?token=${'x'.repeat(32)}`, `${link.search}x`.replace(/^/, '/')])
      assert.is((await get(link, wrong)).status, 401, wrong)
    const ended = once(first, 'exit')
    first.kill('SIGKILL')
    await ended
    const alone = await web()
    assert.is(alone.code, 1)
    assert.is(alone.stdout.length, 0)
    assert.match(alone.stderr, /no daemon/)
    await start()
    const next = new URL((await web()).stdout.toString().trim())
    assert.is.not(next.search, link.search)
    assert.is((await get(next, `/${link.search}`)).status, 401)
    assert.is((await get(next, '/', cookie)).status, 401)
  }))

test('is not given to who asks from afar, nor where there is no page', () =>
  withDaemon(async ({ socket }) => {
    const none = await tidepool(['--socket', socket, 'status', '--web'])
    assert.is(none.code, 1)
    assert.match(none.stderr, /no status page\n.*page: \{port: 4747\}/)
    const afar = await tidepool(['--url', 'https://other:1', '--token-file', '/none', 'status', '--web'])
    assert.is(afar.code, 1)
    assert.match(afar.stderr, /on its own machine\n.*ssh -L/)
  }))

test('its token may no more than the role read may: of all requests those that only tell, and no others', () =>
  withDaemon(
    async ({ daemon, refusals }) => {
      const link = new URL(daemon.pageLink ?? '')
      const cookie = `tidepool-${link.port}=${link.searchParams.get('token')}`
      const headers = { host: link.host, cookie }
      for (const { method, path, needs } of routes) {
        const real = path.replace('{id}', 'p').replace(/\{\w+\}/, '1')
        if (real.startsWith('/v1/events') || /events$/.test(real)) continue
        const { status } = await ask({ method, port: Number(link.port), path: real, headers })
        if (method !== 'GET') assert.is(status, 405, `${method} ${path}`)
        else if (needs !== 'read') assert.is(status, 404, path)
        else assert.not([401, 403, 405, 421].includes(status), `${path}: ${status}`)
      }
      assert.ok(routes.some(({ method, needs }) => method === 'GET' && needs === 'admin'))
      const before = refusals.length
      assert.is((await get(link, '/?token=secret-of-another')).status, 401)
      const [refusal] = refusals.slice(before)
      // The first twenty of a minute are told.
      if (refusal) assert.not.match(JSON.stringify(refusal), /secret-of-another/)
      assert.ok(refusals.some(({ listener, code }) => listener === 'page' && code === 'forbidden'))
      assert.ok(refusals.length <= 21)
      assert.match(await readFile(join(daemon.config.run, 'page.link'), 'utf8'), /token=/)
    },
    { config: ['page: {port: 0}'] },
  ))

test.run()
