/**
 * One kept stream: the very bytes of it, and behind them its chunks' digests, 32 bytes each. Their root is compared when the
 * file is opened and each chunk when it is read, so that no stream has to be read twice to be believed.
 */
import type { FileHandle } from 'node:fs/promises'
import { DIGEST_BYTES, digestOf } from '../../transfer/digest.ts'
import { chunkLength } from '../../transfer/manifest.ts'
import type { Chunk, WriteExtent } from '../contract.ts'
import { readAt } from '../directory/disk.ts'

/** A committed write, as its row tells of it. */
export interface CommittedWrite extends WriteExtent {
  readonly rootDigest: string
}

export const fileBytesOf = ({ bytes, chunkCount }: WriteExtent): number =>
  Number(bytes) + chunkCount * DIGEST_BYTES

/** The chunks' digests, one after the other; undefined where the file is not that of the write, or was damaged. */
export async function readDigests(file: FileHandle, write: CommittedWrite): Promise<Buffer | undefined> {
  if ((await file.stat()).size !== fileBytesOf(write)) return undefined
  const digests = Buffer.allocUnsafe(write.chunkCount * DIGEST_BYTES)
  if ((await readAt(file, digests, Number(write.bytes))) < digests.length) return undefined
  return digestOf(digests).toString('hex') === write.rootDigest ? digests : undefined
}

/** Whether its bytes are still those of the digest is for whoever reads to compare, as with every store. */
export async function readChunk(
  file: FileHandle,
  write: WriteExtent,
  digests: Buffer,
  seq: number,
  into?: Buffer,
): Promise<Chunk | undefined> {
  const length = chunkLength(write, seq)
  const data = into?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length)
  if ((await readAt(file, data, seq * write.chunkBytes)) < length) return undefined
  return { data, digest: digests.subarray(seq * DIGEST_BYTES, (seq + 1) * DIGEST_BYTES) }
}
