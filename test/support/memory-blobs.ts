/** How chunks of the in-memory store are damaged behind its back. */
import type { MemoryState } from '../../pipeline/stores/memory.ts'
import type { OpenBlobs } from '../contracts/blob-store.ts'

export function damageOf(state: MemoryState): OpenBlobs['damage'] {
  return async (write, seq, how) => {
    const chunks = state.blobs.get(write.writeId)?.chunks
    const chunk = chunks?.get(seq)
    if (!chunks || !chunk) throw new Error(`there is no chunk ${seq} to damage`)
    if (how === 'lost') chunks.delete(seq)
    else if (how === 'shorter') chunks.set(seq, { ...chunk, data: chunk.data.subarray(1) })
    else chunks.set(seq, { ...chunk, data: Buffer.concat([chunk.data, Buffer.alloc(1)]) })
  }
}
