import { memoryStore } from '../../pipeline/stores/memory.ts'
import { blobStoreContract } from '../contracts/blob-store.ts'
import { catalogueContract } from '../contracts/catalogue.ts'

blobStoreContract(
  'memory',
  async () => {
    const { blobs, state, close } = memoryStore()
    return {
      blobs,
      async damage(write, seq, how) {
        const chunks = state.blobs.get(write.writeId)?.chunks
        const chunk = chunks?.get(seq)
        if (!chunks || !chunk) throw new Error(`there is no chunk ${seq} to damage`)
        if (how === 'lost') chunks.delete(seq)
        else if (how === 'shorter') chunks.set(seq, { ...chunk, data: chunk.data.subarray(1) })
        else chunks.set(seq, { ...chunk, data: Buffer.concat([chunk.data, Buffer.alloc(1)]) })
      },
      cleanup: close,
    }
  },
  { readersOutliveRemoval: false },
)

catalogueContract('memory', async () => {
  const { catalogue, close } = memoryStore()
  return { catalogue, cleanup: close }
})
