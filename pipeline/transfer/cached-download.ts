/** A download with a cache in front of the store: what that has is read from there, and what it has not is kept on its way. */
import type { BlobReader, BlobStore } from '../stores/contract.ts'
import type { StreamCache } from '../stores/stream-cache/index.ts'
import type { CachedStream } from '../stores/stream-cache/reader.ts'
import { download } from './download.ts'

export type Download = typeof download

/** Verified as without it, chunk by chunk and at the end by the root; only what came to that end is kept. */
export function throughCache(cache: StreamCache): Download {
  return async function* (blobs, write, options) {
    options.signal?.throwIfAborted()
    const cached = await cache.find(write)
    if (!cached) return yield* keeping(cache, blobs, write, options)
    try {
      yield* download(inFront(cached, blobs), write, options)
    } finally {
      await cached.close()
    }
  }
}

async function* keeping(
  cache: StreamCache,
  ...[blobs, write, options]: Parameters<Download>
): ReturnType<Download> {
  const writer = await cache.begin(write)
  if (!writer) return yield* download(blobs, write, options)
  const digests = new Map<number, Buffer>()
  let seq = 0
  try {
    for await (const piece of download(noting(digests, blobs), write, options)) {
      // The consumer has the piece meanwhile; neither changes it, and both are done before the next is asked for.
      const added = writer.add(piece, digests.get(seq) as Buffer)
      digests.delete(seq++)
      yield piece
      await added
    }
    await writer.keep()
  } finally {
    await writer.close()
  }
}

/** A chunk that the cache has not, or that is asked for a second time because it did not match, comes from the store. */
function inFront(cached: CachedStream, blobs: Pick<BlobStore, 'open'>): Pick<BlobStore, 'open'> {
  return {
    async open(write, options) {
      let store: Promise<BlobReader> | undefined
      return {
        async get(seq, asked) {
          asked?.signal?.throwIfAborted()
          const chunk = asked?.careful ? undefined : await cached.read(seq, asked?.into)
          if (chunk) return chunk
          cached.spoil()
          store ??= blobs.open(write, options)
          return (await store).get(seq, asked)
        },
        async close() {
          await store?.then(
            (reader) => reader.close(),
            () => {},
          )
        },
      }
    },
  }
}

/** Remembers of each chunk the digest that it was last given with: the one it was verified by. */
function noting(digests: Map<number, Buffer>, blobs: Pick<BlobStore, 'open'>): Pick<BlobStore, 'open'> {
  return {
    async open(write, options) {
      const reader = await blobs.open(write, options)
      return {
        async get(seq, asked) {
          const chunk = await reader.get(seq, asked)
          digests.set(seq, Buffer.from(chunk.digest))
          return chunk
        },
        close: () => reader.close(),
      }
    },
  }
}
