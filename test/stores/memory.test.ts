import { memoryStore } from '../../pipeline/stores/memory.ts'
import { blobStoreContract } from '../contracts/blob-store.ts'
import { catalogueContract } from '../contracts/catalogue.ts'
import { damageOf } from '../support/memory-blobs.ts'

blobStoreContract(
  'memory',
  async () => {
    const { blobs, state, close } = memoryStore()
    return { blobs, damage: damageOf(state), cleanup: close }
  },
  { readersOutliveRemoval: false },
)

catalogueContract('memory', async () => {
  const { catalogue, close } = memoryStore()
  return { catalogue, cleanup: close }
})
