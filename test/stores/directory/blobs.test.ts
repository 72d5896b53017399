import { open, writeFile } from 'node:fs/promises'
import type { WriteExtent } from '../../../pipeline/stores/contract.ts'
import { directoryBlobs } from '../../../pipeline/stores/directory/blobs.ts'
import { markerFile, writePaths } from '../../../pipeline/stores/directory/layout.ts'
import { blobStoreContract } from '../../contracts/blob-store.ts'
import { temporaryDirectory } from '../../support/directory.ts'

const nothing = async (): Promise<void> => {}

blobStoreContract(
  'directory',
  async () => {
    const { path: root, remove } = await temporaryDirectory()
    await writeFile(markerFile(root), '{}')
    return {
      blobs: directoryBlobs(root, { beforeCreate: nothing, beforeUnlink: nothing, afterUnlink: nothing }),
      damage: (write, seq, how) => damage(root, write, seq, how),
      cleanup: remove,
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
