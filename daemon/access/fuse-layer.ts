/** The layer over the access process: answers it on its socket. Starting that process is its supervisor's. */
import { type Clock, systemClock } from '../../pipeline/base/clock.ts'
import type { ProjectId } from '../../pipeline/base/ids.ts'
import type { AccessCallbacks, AccessLayer } from './layer.ts'
import { AccessServer } from './server.ts'

export interface FuseLayerOptions {
  /** In a directory that only root may enter. */
  readonly socket: string
  readonly clock?: Clock
}

export class FuseLayer implements AccessLayer {
  readonly #options: FuseLayerOptions
  #server: AccessServer | undefined

  constructor(options: FuseLayerOptions) {
    this.#options = options
  }

  async start(callbacks: AccessCallbacks): Promise<void> {
    const { socket, clock = systemClock } = this.#options
    this.#server = await AccessServer.listen(socket, callbacks, clock)
  }

  async stop(): Promise<void> {
    await this.#server?.close()
    this.#server = undefined
  }

  /** Of all projects, because what the access process reads anew is the whole of mountinfo. */
  async forget(id: ProjectId): Promise<void> {
    await this.#server?.forget(id)
  }

  mounted(id: ProjectId): void {
    this.#server?.mounted(id)
  }

  async hold(id: ProjectId): Promise<void> {
    await this.#server?.hold(id)
  }
}
