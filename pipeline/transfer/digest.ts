/** SHA-256 of chunks, and the root over the list of them. */
import { createHash, type Hash } from 'node:crypto'

export const DIGEST_BYTES = 32

export function digestOf(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest()
}

/** The root digest: SHA-256 over the chunks' digests, which come in order. Flat memory for any length. */
export class RootDigest {
  readonly #hash: Hash = createHash('sha256')
  #count = 0

  get count(): number {
    return this.#count
  }

  add(digest: Uint8Array): void {
    this.#hash.update(digest)
    this.#count++
  }

  /** In hex. Nothing can be added afterwards. */
  end(): string {
    return this.#hash.digest('hex')
  }
}
