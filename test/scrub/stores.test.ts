import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../pipeline/base/clock.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import { retryScope } from '../../pipeline/limit/retry.ts'
import { openDirectoryStore } from '../../pipeline/stores/directory/index.ts'
import { writePaths } from '../../pipeline/stores/directory/layout.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { retrying } from '../../pipeline/stores/retrying.ts'
import { scrubContract } from '../contracts/scrub.ts'
import { temporaryDirectory } from '../support/directory.ts'

scrubContract('memory', async () => {
  const store = memoryStore()
  return {
    store,
    lose: async ({ writeId }, seq) => void store.state.blobs.get(writeId)?.chunks.delete(seq),
    cleanup: () => store.close(),
  }
})

scrubContract('memory, retrying', async () => {
  const inner = memoryStore()
  const limiter = fixedLimiter({ count: 4, maxBytes: 1024 * 1024 })
  const scope = retryScope({ clock: systemClock, random: Math.random })
  return {
    store: retrying(inner, { scope, limiter }),
    lose: async ({ writeId }, seq) => void inner.state.blobs.get(writeId)?.chunks.delete(seq),
    cleanup: () => inner.close(),
  }
})

scrubContract('directory', async () => {
  const { path, remove } = await temporaryDirectory()
  const root = join(path, 'store')
  const store = await openDirectoryStore(root, { init: true })
  return {
    store,
    async lose(write, seq) {
      // A chunk is lost where its digest is: the file has no other sign of a hole.
      await using sums = await open(writePaths(root, write).sums, 'r+')
      await sums.write(Buffer.alloc(32), 0, 32, seq * 32)
    },
    async cleanup() {
      await store.close()
      await remove()
    },
  }
})
