/** A short life of one project by a host that may be struck at any call: what the tests of failures play. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { type Guid, newHostId, newSessionId, projectId } from '../../pipeline/base/ids.ts'
import { createProject } from '../../pipeline/graph/transitions/life.ts'
import { registerHost } from '../../pipeline/hosts/session.ts'
import { takeProject } from '../../pipeline/hosts/take.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { putStream } from '../../pipeline/transfer/put.ts'
import { int, type Random } from '../support/random.ts'
import { MIN_STREAM_BYTES, streamBytes } from '../support/stream-generator.ts'
import { inPieces, KIB } from '../support/transfer.ts'

export const PROJECT = projectId('p')

/** One start of a process on a host of its own; what it can't do it leaves. */
export class Process {
  readonly #store: Store
  readonly #identity = { host: newHostId(), session: newSessionId(), name: 'test', process: null }
  readonly #limiter = fixedLimiter({ count: 3, maxBytes: 1e9 })

  constructor(store: Store) {
    this.#store = store
  }

  /** True where the project is ours afterwards. */
  async begin(): Promise<boolean> {
    const { catalogue } = this.#store
    return attempted(async () => {
      await registerHost(catalogue, this.#identity)
      if (!(await catalogue.read(PROJECT)))
        await catalogue.apply(
          createProject(PROJECT, { owner: this.#identity.host, nowMs: await catalogue.nowMs() }),
        )
      await takeProject(catalogue, PROJECT, this.#identity.host)
    })
  }

  /** True where it was stored. Noted as sent before the first byte goes. */
  async put(stream: Stream, sent: Map<string, Buffer>, signal?: AbortSignal): Promise<boolean> {
    sent.set(`${stream.from}-${stream.to}`, stream.bytes)
    return attempted(() =>
      putStream(() => inPieces(stream.bytes, 30_011), {
        store: this.#store,
        limiter: this.#limiter,
        project: PROJECT,
        host: this.#identity.host,
        session: this.#identity.session,
        chunkBytes: 64 * KIB,
        signal,
      }),
    )
  }
}

export interface Stream {
  readonly from: Guid | null
  readonly to: Guid
  readonly bytes: Buffer
}

let lastGuid = 0n

/** Of an odd size, from the point given to one that never was. */
export async function stream(random: Random, from: Guid | null): Promise<Stream> {
  const toGuid = ++lastGuid
  const bytes = await streamBytes({
    seed: int(random, 0, 1e9),
    bytes: int(random, MIN_STREAM_BYTES / 8, 30 * KIB) * 8,
    toGuid,
    ...(from !== null && { fromGuid: from }),
  })
  return { from, to: String(toGuid) as Guid, bytes }
}

/** Failures that the store was ordered to have are expected; anything else is a mistake of ours. */
async function attempted(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof TidepoolError) return false
    throw error
  }
}
