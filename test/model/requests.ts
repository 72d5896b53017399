/** What actors ask for, and the catalogue that makes a request of each call: the explorer decides how it ends. */
import type { WriteId } from '../../pipeline/base/ids.ts'
import type { WriteRow } from '../../pipeline/graph/state.ts'
import type { Transaction } from '../../pipeline/graph/transaction.ts'
import type { HostTransaction } from '../../pipeline/hosts/state.ts'
import type { BlobStore, Catalogue, Store } from '../../pipeline/stores/contract.ts'
import type { Ask } from './actor.ts'
import { PROJECT, type World } from './world.ts'

export type Request =
  /** A call to the store that changes nothing. */
  | { readonly kind: 'read'; readonly label: string; readonly run: (store: Store) => Promise<unknown> }
  | { readonly kind: 'apply'; readonly label: string; readonly transaction: Transaction }
  | { readonly kind: 'applyHost'; readonly label: string; readonly transaction: HostTransaction }
  /** A call about chunks: done and answered, or not done at all. */
  | {
      readonly kind: 'chunks'
      readonly label: string
      readonly run: (store: Store) => Promise<unknown>
      readonly isPut?: boolean
    }
  /** A change of the machine itself that others may come before. */
  | { readonly kind: 'local'; readonly label: string; readonly act: (world: World) => unknown }
  /** A look at, or a change of, the machine itself: nothing comes between it and the step before. */
  | { readonly kind: 'now'; readonly act: (world: World) => unknown }

/**
 * Whether the actor's next read may follow at once, because it makes no difference what comes between: nobody else
 * looks at a chunk of a write that is not committed, and what a host sees of its row after its own transaction it
 * sees again at its next beat.
 */
export const isFollowedAtOnce = (request: Request): boolean =>
  (request.kind === 'chunks' && request.isPut === true) || request.kind === 'applyHost'

function onlyWith<Whole extends object>(calls: Partial<Whole>): Whole {
  return new Proxy(calls as Whole, {
    get(target, name) {
      if (name in target) return target[name as keyof Whole]
      throw new Error(`the model has no call ${String(name)}`)
    },
  })
}

export function askingCatalogue(ask: Ask<Request>): Catalogue {
  const calls: Partial<Catalogue> = {
    read: (project) =>
      ask({
        kind: 'read',
        label: 'reads the project',
        run: ({ catalogue }) => catalogue.read(project),
      }) as ReturnType<Catalogue['read']>,
    apply: (transaction) => ask({ kind: 'apply', label: transaction.what, transaction }) as Promise<boolean>,
    readHost: (host) =>
      ask({
        kind: 'read',
        label: `reads host ${host}`,
        run: ({ catalogue }) => catalogue.readHost(host),
      }) as ReturnType<Catalogue['readHost']>,
    applyHost: (transaction) =>
      ask({ kind: 'applyHost', label: transaction.what, transaction }) as Promise<boolean>,
    // Time stands still: grace is over at once, and which of two came first is never decided by it.
    nowMs: async () => 0,
  }
  return onlyWith(calls)
}

/** Chunks as small as they can be: each write has one, and it holds the text of the point that the write leads to. */
export class AskingChunks {
  readonly #ask: Ask<Request>

  constructor(ask: Ask<Request>) {
    this.#ask = ask
  }

  async put({ writeId, to }: WriteRow): Promise<void> {
    await this.#ask({
      kind: 'chunks',
      label: `puts the chunk of ${writeId}`,
      isPut: true,
      run: async ({ blobs }) => {
        const writer = await blobs.create({ project: PROJECT, writeId, chunkBytes: CHUNK_BYTES })
        await writer.put(0, Buffer.from(to), Buffer.alloc(0))
        await writer.seal()
        await writer.close()
      },
    })
  }

  /** The first write whose chunk is not there or holds something else. */
  async firstMissing(rows: readonly WriteRow[]): Promise<WriteId | undefined> {
    return (await this.#ask({
      kind: 'chunks',
      label: `fetches ${rows.map((row) => row.writeId).join(' ') || 'nothing'}`,
      run: async ({ blobs }) => {
        for (const { writeId, to } of rows) {
          const extent = { project: PROJECT, writeId, chunkBytes: CHUNK_BYTES, ...extentOf(to) }
          for await (const _seq of blobs.missing(extent)) return writeId
        }
        return undefined
      },
    })) as WriteId | undefined
  }

  /** As much of a blob store as is needed to take chunks away. */
  get blobs(): BlobStore {
    const remove: BlobStore['remove'] = async (write) => {
      await this.#ask({
        kind: 'chunks',
        label: `removes the chunk of ${write.writeId}`,
        run: ({ blobs }) => blobs.remove(write),
      })
    }
    return onlyWith<BlobStore>({ remove })
  }
}

export const CHUNK_BYTES = 65_536

export const extentOf = (to: string): { bytes: bigint; chunkCount: number } => ({
  bytes: BigInt(Buffer.byteLength(to)),
  chunkCount: 1,
})
