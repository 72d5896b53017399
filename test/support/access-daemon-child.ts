/** A daemon that does nothing but open stand-ins, as their names say, and prints which it began to open and what it is told. */
import { setTimeout as sleep } from 'node:timers/promises'
import { FuseLayer } from '../../daemon/access/fuse-layer.ts'
import { Opens } from '../../daemon/access/opens.ts'
import { systemClock } from '../../pipeline/base/clock.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { projectId } from '../../pipeline/base/ids.ts'
import { mountStandIn } from './access.ts'

const [socket = '', mountRoot = ''] = process.argv.slice(2)

/** `fails-<code>` fails so, `slow-…` takes a second, `never-…` does not end. */
const opens = new Opens({
  clock: systemClock,
  waitLimitMs: 4000,
  maxWaiting: 20,
  open: async (id, signal) => {
    console.log(`opens ${id}`)
    if (id.startsWith('fails-')) throw new TidepoolError(id.slice('fails-'.length), 'as its name says')
    if (id.startsWith('slow-')) await sleep(1000, undefined, { signal })
    if (id.startsWith('never-')) await sleep(2 ** 30, undefined, { signal })
    return mountStandIn(mountRoot, id)
  },
})

await new FuseLayer({ socket }).start({
  open: (id, signal) => opens.open(id, { signal }),
  listed: () => Array.from({ length: 10_000 }, (_, index) => projectId(`listed-${index}`)),
  used: (ids) => console.log(`used ${ids.join(' ')}`),
  figures: (figures) => console.log(`figures ${JSON.stringify(figures ?? null)}`),
})
console.log('listening')
