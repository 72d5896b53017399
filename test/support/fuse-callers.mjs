// Many callers at once that read one link: prints how many were answered by each errno, those of the first moment first.
// Its own process, because each that waits holds a thread, and nobody can end them.
import { readlink } from 'node:fs/promises'

const [path, count, momentMs] = process.argv.slice(2)
const counts = {}
const callers = Array.from({ length: Number(count) }, async () => {
  const answer = await readlink(path).then(
    () => 'ok',
    (error) => error.code,
  )
  counts[answer] = (counts[answer] ?? 0) + 1
})
setTimeout(() => console.log(JSON.stringify(counts)), Number(momentMs))
await Promise.all(callers)
console.log(JSON.stringify(counts))
