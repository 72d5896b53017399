/** What can be no point is wrong usage, told before anybody is asked. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tidepool } from '../support/command.ts'

const test = suite('points on the command line')

for (const verb of ['rollback', 'pin', 'unpin', 'acknowledge'])
  for (const point of ['abc', '0', '99999999999999999999'])
    test(`${verb} p ${point}`, async () => {
      const { code, stderr } = await tidepool(['--socket', '/nowhere/tidepool.sock', verb, 'p', point])
      assert.is(code, 2)
      assert.match(stderr, `tidepool: "${point}" is no GUID of a point\n`)
      assert.match(stderr, '`tidepool history p` lists the points that there are.')
    })

test.run()
