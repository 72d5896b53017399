import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { WriteExtent } from '../../../pipeline/stores/contract.ts'
import { openDirectoryStore } from '../../../pipeline/stores/directory/index.ts'
import { writePaths } from '../../../pipeline/stores/directory/layout.ts'
import { blobStoreContract } from '../../contracts/blob-store.ts'
import { temporaryDirectory } from '../../support/directory.ts'

blobStoreContract(
  'directory',
  async () => {
    const { path, remove } = await temporaryDirectory()
    const root = join(path, 'store')
    const store = await openDirectoryStore(root, { init: true })
    return {
      blobs: store.blobs,
      damage: (write, seq, how) => damage(root, write, seq, how),
      async cleanup() {
        await store.close()
        await remove()
      },
    }
  },
  { readersOutliveRemoval: true },
)

/** A chunk is lost where its digest is: the file has no other sign of a hole. */
async function damage(
  root: string,
  write: WriteExtent,
  seq: number,
  how: 'lost' | 'shorter' | 'longer',
): Promise<void> {
  const paths = writePaths(root, write)
  await using file = await open(how === 'lost' ? paths.sums : paths.stream, 'r+')
  if (how === 'lost') await file.write(Buffer.alloc(32), 0, 32, seq * 32)
  else await file.truncate(Number(write.bytes) + (how === 'shorter' ? -1 : 1))
}
