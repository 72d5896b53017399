/** What a look at one committed write showed. */
import type { ProjectId } from '../base/ids.ts'
import type { WriteRow } from '../graph/state.ts'
import type { CallOptions, Catalogue, WriteExtent } from '../stores/contract.ts'
import { chunkLength } from '../transfer/manifest.ts'
import type { DamageFinding, DamageKind, Finding } from './findings.ts'

/** So many of a write's bad chunks are named; past that they are counted. */
export const CHUNKS_NAMED = 100

export interface ChunkList {
  readonly named: readonly number[]
  readonly count: number
}

export interface WriteReport {
  /** `gone`: it is no longer committed, so nothing about it is wrong. */
  readonly outcome: 'whole' | 'damaged' | 'gone'
  readonly missing: ChunkList
  readonly damaged: ChunkList
  /** Found by a careful look only. */
  readonly lateCount: number
  /** All chunks match their own digests, and these together do not match the manifest. */
  readonly rootDiffers: boolean
  /** Why the manifest can't be used; then nothing was looked at. */
  readonly unreadable: string | null
  readonly chunkCount: number
  readonly bytes: bigint
}

/** Gathers a report while chunks are looked at. */
export class ReportBuilder {
  readonly #missing = new Chunks()
  readonly #damaged = new Chunks()
  #lateCount = 0
  #chunkCount = 0
  #bytes = 0n
  rootDiffers = false

  get isClean(): boolean {
    return this.#missing.count + this.#damaged.count === 0 && !this.rootDiffers
  }

  get missingCount(): number {
    return this.#missing.count
  }

  looked(chunks: number, bytes: number): void {
    this.#chunkCount += chunks
    this.#bytes += BigInt(bytes)
  }

  missing(seq: number): void {
    this.#missing.add(seq)
  }

  damaged(seq: number): void {
    this.#damaged.add(seq)
  }

  late(): void {
    this.#lateCount++
  }

  end(outcome: WriteReport['outcome'], unreadable: string | null = null): WriteReport {
    return {
      outcome,
      missing: this.#missing.list,
      damaged: this.#damaged.list,
      lateCount: this.#lateCount,
      rootDiffers: this.rootDiffers,
      unreadable,
      chunkCount: this.#chunkCount,
      bytes: this.#bytes,
    }
  }
}

class Chunks {
  readonly #named: number[] = []
  count = 0

  get list(): ChunkList {
    return { named: this.#named, count: this.count }
  }

  add(seq: number): void {
    this.count++
    if (this.#named.length < CHUNKS_NAMED) this.#named.push(seq)
  }
}

/** The write as the store is asked for it, or why its manifest can't be used. */
export function checkedExtent(project: ProjectId, row: WriteRow): WriteExtent | string {
  const { manifest, writeId } = row
  if (!manifest) return 'there is none'
  const { chunkBytes, bytes, chunkCount } = manifest
  if (chunkBytes !== row.chunkBytes)
    return `it has chunks of ${chunkBytes} bytes, its row chunks of ${row.chunkBytes}`
  const last = chunkLength(manifest, chunkCount - 1)
  if (last < 1 || last > chunkBytes) return `${bytes} bytes are not ${chunkCount} chunks of ${chunkBytes}`
  return { project, writeId, chunkBytes, bytes, chunkCount }
}

/**
 * Whether the write is still one whose chunks must be there. A chunk that is missing, or is not what it was, means
 * nothing before this has been asked.
 */
export async function isStillCommitted(
  catalogue: Catalogue,
  project: ProjectId,
  row: WriteRow,
  options: CallOptions,
): Promise<boolean> {
  const now = await catalogue.read(project, options)
  const life = now?.statics.life
  return (life === 'live' || life === 'destroyed') && now?.rows.get(row.writeId)?.state === 'committed'
}

/** What a person is told of it; nothing of a write that is whole or gone. */
export function* findingsOf(
  project: ProjectId,
  row: WriteRow,
  report: WriteReport,
): Generator<Finding, void> {
  if (report.outcome === 'gone') return
  const { writeId } = row
  const of = `of write ${writeId} of ${project}`
  const damage = (kind: DamageKind, message: string, chunks?: ChunkList): DamageFinding => ({
    kind,
    project,
    writeId,
    message,
    hint: `\`tidepool stream graph ${project}\` shows what else leads to point ${row.to}; save it again from a host that holds it.`,
    action: 'none',
    chunks: chunks?.named ?? [],
    chunkCount: chunks?.count ?? 0,
  })
  if (report.unreadable !== null)
    yield damage('manifest-unreadable', `the manifest ${of} can't be used: ${report.unreadable}`)
  if (report.missing.count > 0)
    yield damage('chunk-missing', `${chunksAre(report.missing, 'missing')} ${of}`, report.missing)
  if (report.damaged.count > 0)
    yield damage('chunk-damaged', `${chunksAre(report.damaged, 'not what was stored')} ${of}`, report.damaged)
  if (report.rootDiffers)
    yield damage('root-mismatch', `the chunks ${of} together do not have the root digest of its manifest`)
  if (report.lateCount > 0)
    yield {
      kind: 'chunk-late',
      project,
      writeId,
      message: `${report.lateCount} chunks ${of} were found by a careful look only`,
      hint: "A copy lacks them: repair the nodes (`nodetool repair`), or wait for the other data centre's copies.",
      action: 'none',
      chunkCount: report.lateCount,
    }
}

function chunksAre({ named, count }: ChunkList, what: string): string {
  const shown = named.slice(0, 10).join(', ')
  const more = count > 10 ? ` and ${count - 10} more` : ''
  return `${count === 1 ? 'chunk' : 'chunks'} ${shown}${more} ${count === 1 ? 'is' : 'are'} ${what}`
}
