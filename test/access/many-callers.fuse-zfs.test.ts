/** A class begins: hundreds of people touch their projects at once, and nothing is open yet. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { walk } from '../support/fuse.ts'
import { withHosts } from '../support/hosts.ts'
import { PLAIN } from '../support/tree-changes.ts'

const test = suite('access: many callers at once')

const PROJECTS = 50
const CALLERS_EACH = 10

test('500 callers that wait for 50 projects are all served', () =>
  withHosts(async ([host]) => {
    if (!host) throw new Error('there is no host')
    await host.daemon()
    await host.access()
    const ids = Array.from({ length: PROJECTS }, (_, index) => `p${index}`)
    for (const id of ids) {
      await host.create(id, PLAIN)
      await host.ask(id, 'close')
    }
    assert.equal(await host.mounted(), [])
    const callers = ids
      .flatMap((id) => Array.from({ length: CALLERS_EACH }, () => id))
      .map((id) => `(ls -a ${host.root}/${id}/ > /dev/null && echo served ${id}) &`)
    const { stdout, stderr } = await walk(`${callers.join('\n')}\nwait`, { plain: true, limitMs: 150_000 })
    assert.is(stderr, '')
    const served = stdout.trim().split('\n')
    assert.is(served.length, PROJECTS * CALLERS_EACH)
    assert.is(new Set(served).size, PROJECTS)
    assert.is((await host.mounted()).length, PROJECTS)
  }))

test.run()
