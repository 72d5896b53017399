/** A directory store of a test's own, gone afterwards. */
import { join } from 'node:path'
import type { Store } from '../../pipeline/stores/contract.ts'
import { openDirectoryStore } from '../../pipeline/stores/directory/index.ts'
import { temporaryDirectory } from './directory.ts'

export async function withDirectoryStore<T>(use: (store: Store, path: string) => Promise<T>): Promise<T> {
  const { path, remove } = await temporaryDirectory()
  try {
    const root = join(path, 'store')
    const store = await openDirectoryStore(root, { init: true })
    try {
      return await use(store, root)
    } finally {
      await store.close()
    }
  } finally {
    await remove()
  }
}
