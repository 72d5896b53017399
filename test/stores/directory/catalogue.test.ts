import { join } from 'node:path'
import { openDirectoryStore } from '../../../pipeline/stores/directory/index.ts'
import { catalogueContract } from '../../contracts/catalogue.ts'
import { temporaryDirectory } from '../../support/directory.ts'

catalogueContract('directory', async () => {
  const { path, remove } = await temporaryDirectory()
  const store = await openDirectoryStore(join(path, 'store'), { init: true })
  return {
    catalogue: store.catalogue,
    async cleanup() {
      await store.close()
      await remove()
    },
  }
})
