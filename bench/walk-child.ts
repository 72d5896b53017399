/**
 * `walk-child.ts LINK [COUNT]`: asks for a link as programs do, one system call after another, so many times, or from
 * the first byte of its input to the end of that. Prints how long each took, as JSON, in µs. A promise of Node would go
 * through a thread more, which took 25 of 65 µs.
 */
import { readlinkSync } from 'node:fs'

const BATCH = 100

const [link = '', count] = process.argv.slice(2)
let isOver = false
process.stdin.once('end', () => {
  isOver = true
})
process.stdin.resume()
if (count === undefined) await new Promise((resolve) => process.stdin.once('data', resolve))
const tookUs: number[] = []
while (count === undefined ? !isOver : tookUs.length < Number(count)) {
  for (let walk = 0; walk < BATCH; walk++) {
    const startedMs = performance.now()
    readlinkSync(link)
    tookUs.push((performance.now() - startedMs) * 1000)
  }
  await new Promise((resolve) => setImmediate(resolve))
}
process.stdout.write(JSON.stringify(tookUs), () => process.exit())
