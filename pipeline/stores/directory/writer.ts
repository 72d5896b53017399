/**
 * The thread that writes catalogues. A transaction waits for LMDB's lock and for the disk without giving way, so it
 * must not run where anybody else is waited on.
 */
import { parentPort } from 'node:worker_threads'
import { open, type RootDatabase } from 'lmdb'
import { TidepoolError } from '../../base/errors.ts'
import { humanBytes } from '../../base/units.ts'
import { adds, type Operation, type Rows, run } from './operations.ts'
import { type Key, MAX_READERS } from './values.ts'

export type WriterStep =
  | { readonly kind: 'open'; readonly maxBytes: number }
  | { readonly kind: 'close' }
  | Operation

export interface WriterRequest {
  readonly id: number
  readonly path: string
  readonly step: WriterStep
}

export type WriterReply =
  | { readonly kind: 'done'; readonly id: number; readonly happened: boolean }
  | {
      readonly kind: 'failed'
      readonly id: number
      readonly message: string
      /** LMDB's or the system's, where there is one. */
      readonly number: number | undefined
      /** Those of an error of ours. */
      readonly code: string | undefined
      readonly hint: string | undefined
      /** True where the failure came so late that the transaction may stand. */
      readonly mayStand: boolean
    }

interface Catalogue {
  readonly db: RootDatabase<string, Key>
  readonly rows: Rows
  readonly maxBytes: number
}

const catalogues = new Map<string, Catalogue>()

parentPort?.on('message', async (request: WriterRequest) => {
  parentPort?.postMessage(await answer(request))
})

async function answer({ id, path, step }: WriterRequest): Promise<WriterReply> {
  let lastTransaction: number | undefined
  try {
    if (step.kind === 'open') openCatalogue(path, step.maxBytes)
    else if (step.kind === 'close') await closeCatalogue(path)
    else {
      const catalogue = found(path)
      lastTransaction = lastTransactionOf(catalogue)
      return { kind: 'done', id, happened: transact(catalogue, step) }
    }
    return { kind: 'done', id, happened: true }
  } catch (error) {
    const { message, code } = error as Error & { code?: unknown }
    return {
      kind: 'failed',
      id,
      message,
      number: typeof code === 'number' ? code : undefined,
      code: error instanceof TidepoolError ? error.code : undefined,
      hint: error instanceof TidepoolError ? error.hint : undefined,
      mayStand: lastTransaction !== undefined && lastTransactionOf(found(path)) !== lastTransaction,
    }
  }
}

/** Throws inside it undo all of it; LMDB's asynchronous transaction would keep what was done before the throw. */
function transact(catalogue: Catalogue, operation: Operation): boolean {
  if (adds(operation)) refuseWhenFull(catalogue)
  return catalogue.db.transactionSync(() => run(catalogue.rows, operation))
}

function openCatalogue(path: string, maxBytes: number): void {
  if (catalogues.has(path)) return
  // Without `overlappingSync: false` other processes see a transaction half a second before it is durable.
  const db = open<string, Key>({
    path,
    overlappingSync: false,
    encoding: 'string',
    cache: false,
    maxReaders: MAX_READERS,
  })
  const rows: Rows = {
    get: (key) => db.get(key),
    put: (key, value) => void db.putSync(key, value),
    remove: (key) => void db.removeSync(key),
    keysIn: (range, limit) => [...db.getKeys({ ...range, limit })],
  }
  catalogues.set(path, { db, rows, maxBytes })
}

async function closeCatalogue(path: string): Promise<void> {
  const catalogue = catalogues.get(path)
  catalogues.delete(path)
  await catalogue?.db.close()
}

function found(path: string): Catalogue {
  const catalogue = catalogues.get(path)
  if (!catalogue) throw new Error(`${path} was not opened here`)
  return catalogue
}

/** Not in the typings. */
function lastTransactionOf({ db }: Catalogue): number {
  return (db as unknown as { env: { info(): { lastTxnId: number } } }).env.info().lastTxnId
}

interface Stats {
  readonly pageSize: number
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly overflowPages: number
}

/** LMDB's map grows by itself; this limit is what stands between a runaway catalogue and the disk. */
function refuseWhenFull({ db, maxBytes }: Catalogue): void {
  const stats = db.getStats() as Stats
  const pages = stats.treeBranchPageCount + stats.treeLeafPageCount + stats.overflowPages
  if (pages * stats.pageSize >= maxBytes)
    throw new TidepoolError('store-full', `the catalogue has reached its limit of ${humanBytes(maxBytes)}`, {
      hint: 'Raise the limit, or remove projects and old writes: reading and removing go on, and all else once there is space.',
    })
}
