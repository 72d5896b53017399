import { FuseLayer } from '../../daemon/access/fuse-layer.ts'
import { accessContract } from '../contracts/access.ts'
import { withAccess } from '../support/access.ts'

accessContract('a FUSE root of links', (body) =>
  withAccess(async (world) => {
    await world.serve()
    await body({
      layer: () => new FuseLayer({ socket: world.socket }),
      root: world.root,
      mountRoot: world.mountRoot,
    })
  }),
)
