/**
 * The directory store's chunks alone: no parser, no digests, no catalogue, no process to start. What `stream put` and
 * `stream get` lose against this is theirs; what this loses against `cat` and `cp` is the store's.
 */
import { rmSync } from 'node:fs'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newWriteId, projectId } from '../pipeline/base/ids.ts'
import { MIB } from '../pipeline/base/units.ts'
import type { BlobStore, WriteExtent } from '../pipeline/stores/contract.ts'
import { directoryBlobs } from '../pipeline/stores/directory/blobs.ts'
import { markerFile, projectsDirectory } from '../pipeline/stores/directory/layout.ts'
import { chunkLength } from '../pipeline/transfer/manifest.ts'
import { run } from './child.ts'
import { streamFile } from './files.ts'
import { inPairs } from './pairs.ts'
import { pairedRow, type Suite } from './report.ts'

const IN_FLIGHT = 4
const digest = Buffer.alloc(32, 1)

export const directoryRaw: Suite = async ({ pairs, bytes, random, scratch }) => {
  const stream = await streamFile(join(scratch, 'stream'), bytes, 11n)
  const copy = join(scratch, 'copy')
  const root = join(scratch, 'raw')
  await mkdir(projectsDirectory(root), { recursive: true })
  await writeFile(markerFile(root), '{}')
  const nothing = async (): Promise<void> => {}
  const blobs = directoryBlobs(root, {
    ensureOpen() {},
    beforeCreate: nothing,
    beforeUnlink: nothing,
    afterUnlink: nothing,
  })

  const rateOf = async (work: () => Promise<unknown>): Promise<number> => {
    rmSync(copy, { force: true })
    await run(['sync'])
    const startedMs = performance.now()
    await work()
    return bytes / MIB / ((performance.now() - startedMs) / 1000)
  }
  const shell = (script: string) => () => rateOf(() => run(['sh', '-c', script, 'sh', stream, copy]))
  const fresh = (): WriteExtent => extent(bytes, blobs.defaultChunkBytes)

  const put = async (): Promise<number> => {
    const write = fresh()
    const rate = await rateOf(() => putFile(blobs, write, stream))
    await blobs.remove({ ...write, seqHigh: write.chunkCount })
    return rate
  }
  const putRow = pairedRow(
    'put, seal',
    'cat > file; sync',
    await inPairs(pairs, random, put, shell('cat "$1" > "$2"; sync')),
    { atLeast: 0.85 },
  )

  const stored = fresh()
  await putFile(blobs, stored, stream)
  const getRow = pairedRow(
    'open, get, write and fsync',
    'cp; sync',
    await inPairs(
      pairs,
      random,
      () => rateOf(() => getFile(blobs, stored, copy)),
      shell('cp "$1" "$2"; sync'),
    ),
    { atLeast: 0.85 },
  )
  for (const path of [stream, copy, root]) rmSync(path, { recursive: true, force: true })
  return [putRow, getRow]
}

function extent(bytes: number, chunkBytes: number): WriteExtent {
  return {
    project: projectId('raw'),
    writeId: newWriteId(),
    chunkBytes,
    bytes: BigInt(bytes),
    chunkCount: Math.ceil(bytes / chunkBytes),
  }
}

async function putFile(blobs: BlobStore, write: WriteExtent, path: string): Promise<void> {
  await using source = await open(path)
  const writer = await blobs.create(write)
  await each(write, async (seq, buffer) => {
    const data = buffer.subarray(0, chunkLength(write, seq))
    await source.read(data, 0, data.length, seq * write.chunkBytes)
    await writer.put(seq, data, digest)
  })
  await writer.seal()
  await writer.close()
}

async function getFile(blobs: BlobStore, write: WriteExtent, path: string): Promise<void> {
  await using target = await open(path, 'w')
  const reader = await blobs.open(write)
  let unflushed = 0
  let flushing: Promise<void> | undefined
  await each(write, async (seq) => {
    const { data } = await reader.get(seq)
    await target.write(data, 0, data.length, seq * write.chunkBytes)
    unflushed += data.length
    if (unflushed < 64 * MIB || flushing) return
    unflushed = 0
    flushing = target.datasync().finally(() => {
      flushing = undefined
    })
  })
  await flushing
  await target.sync()
  await reader.close()
}

/** Some at a time, each with a buffer of its own. */
async function each(write: WriteExtent, work: (seq: number, buffer: Buffer) => Promise<void>): Promise<void> {
  let next = 0
  const one = async (): Promise<void> => {
    const buffer = Buffer.allocUnsafeSlow(write.chunkBytes)
    while (next < write.chunkCount) await work(next++, buffer)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, one))
}
