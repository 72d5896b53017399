/** A store with an owned project, ready for puts: what most tests of transfers begin with. */
import { type Guid, newHostId, newSessionId, projectId } from '../../pipeline/base/ids.ts'
import { createProject } from '../../pipeline/graph/transitions/life.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { download } from '../../pipeline/transfer/download.ts'
import { type Put, type PutOptions, putStream } from '../../pipeline/transfer/put.ts'
import { extentOf } from '../../pipeline/transfer/restore.ts'

export const KIB = 1024

/** What `putStream` needs besides the stream. */
export async function putSetting(store: Store = memoryStore(), name = 'p1') {
  const host = newHostId()
  const session = newSessionId()
  const project = projectId(name)
  const limiter = fixedLimiter({ count: 4, maxBytes: 64 * 1024 * KIB })
  await store.catalogue.apply(createProject(project, { owner: host, nowMs: 0 }))
  return { store, host, session, project, limiter, chunkBytes: 64 * KIB } satisfies PutOptions
}

export type Setting = Awaited<ReturnType<typeof putSetting>>

/** The bytes in pieces of `pieceBytes`. */
export async function* inPieces(bytes: Buffer, pieceBytes = 10_007): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

export const putBytes = (setting: PutOptions, bytes: Buffer): Promise<Put> =>
  putStream(() => inPieces(bytes), setting)

/** What a download of a committed write yields. */
export async function fetchBytes(setting: Setting, writeId: Put['writeId']): Promise<Buffer> {
  const row = (await setting.store.catalogue.read(setting.project))?.rows.get(writeId)
  if (!row) throw new Error(`no row ${writeId}`)
  const pieces: Buffer[] = []
  for await (const piece of download(setting.store.blobs, extentOf(setting.project, row), {
    limiter: setting.limiter,
    priority: 'open',
  }))
    pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

export async function headOf({ store, project }: Setting): Promise<Guid | null | undefined> {
  return (await store.catalogue.read(project))?.statics.head
}
