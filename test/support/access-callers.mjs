// What users do while the access process is killed, as a process that can wait for ever without holding anybody up:
// `open FILE` appends to a file that it opened once, `walk FILE` reads one by its path again and again. On SIGTERM it prints what it did.
import { openSync, readFileSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const [how, file] = process.argv.slice(2)
const failed = []
let done = 0
let stopped = false
process.once('SIGTERM', () => {
  stopped = true
})
const fd = how === 'open' ? openSync(file, 'a') : -1
console.log('begun')
while (!stopped) {
  try {
    if (how === 'open') writeSync(fd, `${done}\n`)
    else readFileSync(file)
    done += 1
  } catch (error) {
    failed.push({ code: error.code, atMs: Date.now() })
  }
  await sleep(5)
}
console.log(JSON.stringify({ done, failed }))
