/** Whether a committed write has each of its chunks, without reading them: flat memory for any number of chunks. */
import { codeOf } from '../base/errors.ts'
import type { ProjectId } from '../base/ids.ts'
import type { WriteRow } from '../graph/state.ts'
import type { BlobReader, CallOptions, Store, WriteExtent } from '../stores/contract.ts'
import { digestOf } from '../transfer/digest.ts'
import { CHUNKS_NAMED, checkedExtent, isStillCommitted, ReportBuilder, type WriteReport } from './report.ts'

/** Throws where it could not look. */
export async function checkPresent(
  store: Pick<Store, 'blobs' | 'catalogue'>,
  project: ProjectId,
  row: WriteRow,
  options: CallOptions = {},
): Promise<WriteReport> {
  const report = new ReportBuilder()
  const extent = checkedExtent(project, row)
  if (typeof extent === 'string')
    return report.end(await outcomeOf('damaged', store, project, row, options), extent)
  const careful = new CarefulLook(store, extent, options)
  try {
    for await (const seq of store.blobs.missing(extent, options)) {
      if (careful.isUnused && !(await isStillCommitted(store.catalogue, project, row, options)))
        return report.end('gone')
      // So many that were really missing: nothing is learned from looking at each of the rest twice.
      const seen = report.missingCount < CHUNKS_NAMED ? await careful.at(seq) : 'missing'
      if (seen === 'there') report.late()
      else report[seen](seq)
    }
  } finally {
    await careful.close()
  }
  report.looked(extent.chunkCount, 0)
  if (report.isClean) return report.end('whole')
  // Again, because it may have gone its way while we looked.
  return report.end(await outcomeOf('damaged', store, project, row, options))
}

async function outcomeOf(
  outcome: 'damaged',
  store: Pick<Store, 'catalogue'>,
  project: ProjectId,
  row: WriteRow,
  options: CallOptions,
): Promise<WriteReport['outcome']> {
  return (await isStillCommitted(store.catalogue, project, row, options)) ? outcome : 'gone'
}

/** A second look at chunks that seemed to be missing, among more copies. */
class CarefulLook {
  readonly #store: Pick<Store, 'blobs'>
  readonly #extent: WriteExtent
  readonly #options: CallOptions
  #reader: BlobReader | 'none' | undefined

  constructor(store: Pick<Store, 'blobs'>, extent: WriteExtent, options: CallOptions) {
    this.#store = store
    this.#extent = extent
    this.#options = options
  }

  get isUnused(): boolean {
    return this.#reader === undefined
  }

  async at(seq: number): Promise<'there' | 'missing' | 'damaged'> {
    try {
      this.#reader ??= await this.#open()
      if (this.#reader === 'none') return 'missing'
      const chunk = await this.#reader.get(seq, { ...this.#options, careful: true })
      return digestOf(chunk.data).equals(chunk.digest) ? 'there' : 'damaged'
    } catch (error) {
      if (codeOf(error) === 'chunk-missing') return 'missing'
      throw error
    }
  }

  async close(): Promise<void> {
    if (this.#reader && this.#reader !== 'none') await this.#reader.close()
  }

  async #open(): Promise<BlobReader | 'none'> {
    try {
      return await this.#store.blobs.open(this.#extent, this.#options)
    } catch (error) {
      if (codeOf(error) === 'chunk-missing') return 'none'
      throw error
    }
  }
}
