/**
 * How fast a scrub sees that 100,000 chunks are there, and that its memory does not grow with them. A directory's
 * streams are sparse: a look at what is present asks for lengths and digests, never for the bytes between.
 */
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { guid, newHostId, newSessionId, newWriteId, type ProjectId, projectId } from '../pipeline/base/ids.ts'
import { KIB } from '../pipeline/base/units.ts'
import { readProject } from '../pipeline/graph/settle.ts'
import type { WriteRow } from '../pipeline/graph/state.ts'
import { createProject } from '../pipeline/graph/transitions/life.ts'
import { beginWrite, commitWrite } from '../pipeline/graph/transitions/writes.ts'
import type { Store } from '../pipeline/stores/contract.ts'
import { openDirectoryStore } from '../pipeline/stores/directory/index.ts'
import { writePaths } from '../pipeline/stores/directory/layout.ts'
import type { Manifest } from '../pipeline/transfer/manifest.ts'
import { run } from './child.ts'
import { spread } from './pairs.ts'
import type { Row, Suite } from './report.ts'

export const CHUNK_BYTES = 64 * KIB
/** Odd, for a middle one. */
const ROUNDS = 5
/**
 * The limit of every verb, run from sources here, which take 130 MiB before anything is done. Five times the projects
 * came to 6 MiB more.
 */
const LIMIT_MIB = 180

export interface Shape {
  readonly name: string
  readonly projects: number
  readonly writes: number
  readonly chunks: number
}

const SHAPES: readonly Shape[] = [
  // What a process needs that has nothing to do.
  { name: '100 chunks', projects: 1, writes: 1, chunks: 100 },
  // One long stream: a page at a time.
  { name: '100,000 chunks in 1 write', projects: 1, writes: 1, chunks: 100_000 },
  // Many projects with short streams: the cost of each project and each write.
  { name: '100,000 chunks in 1,000 writes of 200 projects', projects: 200, writes: 5, chunks: 100 },
]

export const scrub: Suite = async ({ scratch }) => {
  const rows: Row[] = []
  for (const [index, shape] of SHAPES.entries()) {
    const root = join(scratch, `scrub-${index}`)
    await fill(root, shape)
    const found = []
    for (let round = 0; round < ROUNDS; round++) found.push(await scrubOnce(`dir:${root}`, shape))
    const rss = spread(found.map(({ highestRssKib }) => highestRssKib / KIB))
    const rate = spread(found.map(({ seconds, checkedChunks }) => checkedChunks / seconds))
    if (index > 0)
      rows.push({ name: `present, ${shape.name}`, value: rate.median, spread: rate, unit: 'chunks/s' })
    rows.push({
      name: `present, ${shape.name}: highest RSS`,
      value: rss.median,
      spread: rss,
      unit: 'MiB',
      target: { atMost: LIMIT_MIB },
    })
  }
  return rows
}

/** One look, which must find all of it. */
export async function scrubOnce(url: string, shape: Shape) {
  const child = fileURLToPath(new URL('scrub-child.ts', import.meta.url))
  const { stdout } = await run([process.execPath, '--import', 'tsx', child, url])
  const result: {
    seconds: number
    highestRssKib: number
    checkedChunks: number
    damagedWrites: number
    complete: boolean
  } = JSON.parse(stdout)
  const expected = shape.projects * shape.writes * shape.chunks
  if (result.checkedChunks !== expected || result.damagedWrites > 0 || !result.complete)
    throw new Error(`the scrub saw something else than ${expected} whole chunks: ${stdout}`)
  return result
}

async function fill(root: string, { projects, writes, chunks }: Shape): Promise<void> {
  const store = await openDirectoryStore(root, { init: true })
  try {
    for (let p = 0; p < projects; p++) {
      const project = projectId(`p${p}`)
      await store.catalogue.apply(createProject(project, { owner: null, nowMs: 0 }))
      for (let w = 0; w < writes; w++) await commitSparse(store, root, project, w, chunks)
    }
  } finally {
    await store.close()
  }
}

async function commitSparse(
  store: Store,
  root: string,
  project: ProjectId,
  number: number,
  chunks: number,
): Promise<void> {
  await commitUnread(store, project, number, chunks, async ({ writeId }) => {
    const paths = writePaths(root, { project, writeId })
    mkdirSync(paths.directory, { recursive: true })
    writeFileSync(paths.stream, '')
    truncateSync(paths.stream, chunks * CHUNK_BYTES)
    writeFileSync(paths.sums, Buffer.alloc(chunks * 32, 1))
  })
}

/** Commits a write whose chunks `put` sees to; nobody will read their bytes. */
export async function commitUnread(
  { catalogue }: Store,
  id: ProjectId,
  number: number,
  chunks: number,
  put: (row: WriteRow) => Promise<void>,
): Promise<void> {
  const row: WriteRow = {
    writeId: newWriteId(),
    from: number === 0 ? null : guid(BigInt(number)),
    to: guid(BigInt(number + 1)),
    host: newHostId(),
    session: newSessionId(),
    side: false,
    state: 'writing',
    chunkBytes: CHUNK_BYTES,
    seqHigh: chunks,
    begunAtMs: 0,
    changedAtMs: 0,
    committedAtMs: null,
    manifest: null,
  }
  await catalogue.apply(beginWrite(await readProject(catalogue, id), row))
  await put(row)
  const commit = { writeId: row.writeId, manifest: manifestOf(chunks), nowMs: Date.now() }
  await catalogue.apply(commitWrite(await readProject(catalogue, id), commit))
}

function manifestOf(chunkCount: number): Manifest {
  const bytes = BigInt(chunkCount) * BigInt(CHUNK_BYTES)
  return {
    version: 1,
    codec: 'none',
    bytes,
    chunkBytes: CHUNK_BYTES,
    chunkCount,
    rootDigest: '0'.repeat(64),
    stream: {
      toName: 'pool/x@y',
      createdAtMs: Date.now(),
      byteOrder: 'little',
      features: [],
      logicalBytes: bytes,
      records: {},
    },
  }
}
