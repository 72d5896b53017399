/** One scrub of the store at a URL, in a process of its own, so that its highest memory is the scrub's. */
import { readFileSync } from 'node:fs'
import { scrub } from '../pipeline/scrub/scrub.ts'
import { openStore } from '../pipeline/stores/open.ts'

const [url = ''] = process.argv.slice(2)
const { store, limiter, close } = await openStore(url)
const run = scrub(store, { depth: 'present', limiter })
const startedMs = performance.now()
let step = await run.next()
while (!step.done) {
  process.stderr.write(`${step.value.message}\n`)
  step = await run.next()
}
const seconds = (performance.now() - startedMs) / 1000
await close()
const highestRssKib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
const { checkedChunks, checkedWrites, damagedWrites, complete } = step.value
process.stdout.write(
  JSON.stringify({ seconds, highestRssKib, checkedChunks, checkedWrites, damagedWrites, complete }),
)
