/** Two hosts with one store: a project goes to and fro between them, and its users see it through the roots alone. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually, walk } from '../support/fuse.ts'
import { type Host, withHosts } from '../support/hosts.ts'
import { PLAIN } from '../support/tree-changes.ts'

const test = suite('access: two hosts and one store')

const share = Number(process.env.TIDEPOOL_LONG ?? '0.1')
/** Each way in which a project leaves, by default. */
const ROUNDS = Math.max(3, Math.round(10 * share))
/** Far above what a receive takes, and the while for which a failure is told again. */
const OPEN_LIMIT_MS = 60_000

const show = (host: Host) => walk(`cat ${host.root}/p1/log`, { plain: true, limitMs: OPEN_LIMIT_MS })

test('a project goes to and fro: busy where it is not, whole where it comes to', () =>
  withHosts(
    async ([one, two]) => {
      if (!one || !two) throw new Error('there are no two hosts')
      const ids = new Map<Host, string>()
      for (const host of [one, two]) {
        await host.daemon()
        await host.access()
        ids.set(host, String((await host.status()).host))
      }
      await one.create('p1', PLAIN)
      let log = ''
      for (let round = 0; round < ROUNDS; round++) {
        const [here, there] = round % 2 === 0 ? [one, two] : [two, one]
        const line = `round ${round} on ${here.name}`
        const wrote = await walk(`echo ${line} >> ${here.root}/p1/log`, {
          plain: true,
          limitMs: OPEN_LIMIT_MS,
        })
        assert.is(wrote.code, 0, `round ${round}: ${wrote.stderr}`)
        log += `${line}\n`
        assert.match((await show(there)).stderr, /Device or resource busy/, `round ${round}`)
        // However it left: the next touch that is not told of the last failure opens it.
        if (round % 3 === 0) await here.ask('p1', 'move', { to: ids.get(there) })
        else await here.ask('p1', round % 3 === 1 ? 'close' : 'evict')
        assert.equal(await here.mounted(), [])
        await eventually(`round ${round}: it opens on the other host`, OPEN_LIMIT_MS, async () => {
          const { stdout, stderr, code } = await show(there)
          if (code !== 0) assert.match(stderr, /Device or resource busy/)
          else assert.is(stdout, log, `round ${round}`)
          return code === 0
        })
        assert.equal(await there.mounted(), ['p1'])
      }
    },
    { count: 2 },
  ))

/** From one to the other and back. */
const TOUCHES = Math.max(2, Math.round(3 * share))
/** Until the next look for what nobody uses, and what an eviction and a receive take behind it. */
const LEFT_LIMIT_MS = 180_000

test('by touches alone: what nobody uses here any more is there at a touch on the other host', () =>
  withHosts(
    async ([one, two]) => {
      if (!one || !two) throw new Error('there are no two hosts')
      for (const host of [one, two]) {
        await host.daemon()
        await host.access()
      }
      await one.create('p1', PLAIN)
      let log = ''
      for (let touch = 0; touch < TOUCHES; touch++) {
        const [here, there] = touch % 2 === 0 ? [one, two] : [two, one]
        const line = `touch ${touch} on ${here.name}`
        const wrote = await walk(`echo ${line} >> ${here.root}/p1/log`, {
          plain: true,
          limitMs: OPEN_LIMIT_MS,
        })
        assert.is(wrote.code, 0, `touch ${touch}: ${wrote.stderr}`)
        log += `${line}\n`
        await eventually(`touch ${touch}: it opens on the other host`, LEFT_LIMIT_MS, async () => {
          const { stdout, stderr, code } = await show(there)
          if (code !== 0) assert.match(stderr, /Device or resource busy/)
          else assert.is(stdout, log, `touch ${touch}`)
          return code === 0
        })
        assert.equal(await here.mounted(), [])
      }
    },
    { count: 2, config: ['evict: {afterCommit: 0s, grace: 0s, idleAfter: 1s}'] },
  ))

test.run()
