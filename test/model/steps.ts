/** How one request is carried out on the real in-memory store, and in which ways it can end. */
import { OutcomeUnknownError, StoreUnavailableError } from '../../pipeline/base/errors.ts'
import type { WriteId } from '../../pipeline/base/ids.ts'
import type { Project } from '../../pipeline/graph/state.ts'
import type { Transaction } from '../../pipeline/graph/transaction.ts'
import type { Chunk } from '../../pipeline/stores/contract.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import type { Answer } from './actor.ts'
import { judgeChange, violate } from './judge.ts'
import { answerKey } from './keys.ts'
import type { Request } from './requests.ts'
import { may, type Place, PROJECT, spend, type World } from './world.ts'

/** One store serves all states: each step puts its state in and takes the next one out. */
const store = memoryStore({ nowMs: () => 0 })

async function inStore<Result>(
  world: World,
  act: (given: typeof store) => Promise<Result>,
  chunksToo = false,
): Promise<Result> {
  const { projects, hosts, blobs } = store.state
  projects.clear()
  projects.set(PROJECT, world.project)
  hosts.clear()
  for (const [host, row] of world.hosts) hosts.set(host, row)
  if (chunksToo) {
    blobs.clear()
    for (const [writeId, chunk] of world.blobs)
      blobs.set(writeId, { project: PROJECT, chunks: new Map([[0, chunk]]) })
  }
  const result = await act(store)
  world.project = projects.get(PROJECT) as Project
  if (chunksToo) world.blobs = chunksIn(blobs)
  return result
}

function chunksIn(blobs: typeof store.state.blobs): ReadonlyMap<WriteId, Chunk> {
  const chunks = new Map<WriteId, Chunk>()
  for (const [writeId, blob] of blobs) {
    const chunk = blob.chunks.get(0)
    if (chunk) chunks.set(writeId, chunk)
  }
  return chunks
}

export async function applyTo(world: World, transaction: Transaction): Promise<boolean> {
  const before = world.project
  const applied = await inStore(world, ({ catalogue }) => catalogue.apply(transaction))
  if (applied) judgeChange(world, before, world.project)
  return applied
}

async function carryOut(world: World, request: Exclude<Request, { kind: 'now' }>): Promise<unknown> {
  switch (request.kind) {
    case 'apply':
      return applyTo(world, request.transaction)
    case 'applyHost':
      return inStore(world, async ({ catalogue, state }) => {
        const applied = await catalogue.applyHost(request.transaction)
        if (applied) world.hosts = new Map(state.hosts)
        return applied
      })
    case 'read':
      return inStore(world, request.run)
    case 'chunks':
      return inStore(world, request.run, true)
    case 'local':
      return request.act(world)
  }
}

const value = (result: unknown): Answer => ({ key: answerKey(result), value: result })
const UNKNOWN: Answer = { key: '?', error: () => new OutcomeUnknownError('a call in the model') }
const SILENT: Answer = { key: '!', error: () => new StoreUnavailableError('a call in the model') }

export interface Ending {
  readonly label: string
  readonly possible: (world: World, from: Place) => boolean
  /** Changes the world and says what the actor is answered. */
  readonly end: (world: World, request: Exclude<Request, { kind: 'now' }>, from: Place) => Promise<Answer>
}

const answered: Ending = {
  label: '',
  possible: () => true,
  end: async (world, request) => value(await carryOut(world, request)),
}

const happensUnseen: Ending = {
  label: ' — it happens, the answer is lost',
  possible: (world) => may(world, 'lost'),
  async end(world, request) {
    spend(world, 'lost')
    await carryOut(world, request)
    return UNKNOWN
  },
}

/** A driver below that sends again what was not answered: the first one happened, so the second one does not. */
const happensTwice: Ending = {
  label: ' — it happens, is sent again, and the answer is no',
  possible: (world) => may(world, 'lost'),
  async end(world, request) {
    spend(world, 'lost')
    return value((await carryOut(world, request)) && (await carryOut(world, request)))
  },
}

/** Nobody ever has to land a late one, so this is also what never happens. */
const late: Ending = {
  label: ' — it is under way, the answer is lost',
  possible: (world) => may(world, 'lost'),
  async end(world, request, from) {
    spend(world, 'lost')
    if (request.kind === 'apply')
      world.late = [...world.late, { from, transaction: request.transaction, over: false }]
    return UNKNOWN
  },
}

const silence: Ending = {
  label: ' — the store is silent',
  // Everybody else only begins anew.
  possible: (world, from) => may(world, 'silent') && from in world.machines,
  async end(world) {
    spend(world, 'silent')
    return SILENT
  },
}

export const ENDINGS: Record<Exclude<Request['kind'], 'now'>, readonly [Ending, ...Ending[]]> = {
  apply: [answered, happensUnseen, happensTwice, late],
  applyHost: [answered, happensUnseen, happensTwice, late],
  read: [answered, silence],
  chunks: [answered],
  local: [answered],
}

/** Whether a late transaction can still happen: neither epoch nor rev goes back, and no row becomes what it was. */
export function mayLand({ project }: World, { if: condition, rows }: Transaction): boolean {
  const { epoch, rev } = project.statics
  if (condition === 'absent') return false
  if (condition.epoch !== undefined && condition.epoch < epoch) return false
  if (condition.rev !== undefined && condition.rev < rev) return false
  return rows.every((change) =>
    change.kind === 'insert'
      ? !project.rows.has(change.row.writeId)
      : change.if !== 'writing' || (project.rows.get(change.writeId)?.state ?? 'writing') === 'writing',
  )
}

export async function land(world: World, index: number): Promise<void> {
  const late = world.late[index]
  if (!late) return
  world.late = world.late.filter((each) => each !== late)
  const applied = await applyTo(world, late.transaction)
  if (applied && late.over)
    violate(world, `${late.transaction.what} was held to be over, and happened afterwards`)
}
