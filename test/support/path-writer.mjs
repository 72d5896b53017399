// Appends to a log in each of some directories, by path and from the root each time, reads it back, and counts what failed. On SIGTERM it
// prints how far it came. Its own process, because one that waits for a path walk does nothing else.
import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const directories = process.argv.slice(2)
const errors = []
const written = Object.fromEntries(directories.map((directory) => [directory, 0]))
let stopped = false
process.once('SIGTERM', () => {
  stopped = true
})
console.log('writing')
while (!stopped) {
  for (const directory of directories) {
    try {
      appendFileSync(`${directory}/log`, `${written[directory]}\n`)
      written[directory] += 1
      if (!readFileSync(`${directory}/log`, 'utf8').endsWith(`\n${written[directory] - 1}\n`))
        if (written[directory] > 1) errors.push(`${directory}: what was written is not there`)
    } catch (error) {
      errors.push(error.message)
    }
  }
  await sleep(10)
}
console.log(JSON.stringify({ written, errors }))
