/** A node that stands still in the middle of transactions, and answers late: outcomes become unknown, never wrong. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OutcomeUnknownError, TidepoolError } from '../../pipeline/base/errors.ts'
import { guid, newHostId, newSessionId, type WriteId } from '../../pipeline/base/ids.ts'
import { commitAttempt } from '../../pipeline/graph/commit.ts'
import { endWrite } from '../../pipeline/graph/resolve.ts'
import { settle } from '../../pipeline/graph/settle.ts'
import { createProject } from '../../pipeline/graph/transitions/life.ts'
import { takeOver } from '../../pipeline/graph/transitions/owner.ts'
import { beginWrite } from '../../pipeline/graph/transitions/writes.ts'
import type { Catalogue } from '../../pipeline/stores/contract.ts'
import { aManifest, aRow, aStatics, change, creation, newProjectId, same } from '../contracts/values.ts'
import { clusterStores, pauseNode, resumeNode } from '../support/cluster.ts'

const test = suite('cassandra: a node stands still')
/** Longer than nodes wait for each other (2 to 5 s), shorter than it takes them to call one dead. */
const STILL_MS = 7_000
const AROUND_MS = 2_000

type Working = () => boolean

/** Runs all of `work` while node 2, which coordinates and votes, stands still twice. */
async function whileStandingStill(work: readonly ((working: Working) => Promise<void>)[]): Promise<void> {
  let isOver = false
  const running = Promise.allSettled(work.map((each) => each(() => !isOver)))
  try {
    for (let times = 0; times < 2; times++) {
      await sleep(AROUND_MS)
      await pauseNode(2)
      await sleep(STILL_MS)
      await resumeNode(2)
    }
    await sleep(AROUND_MS)
  } finally {
    isOver = true
    await resumeNode(2)
    await running
  }
  for (const each of await running) if (each.status === 'rejected') throw each.reason
}

/** What is expected while a node is away; anything else is a fault. */
function onlyTemporary(error: unknown): void {
  if (!(error instanceof TidepoolError && error.temporary)) throw error
}

/** Asked until it is answered: the node may still be busy with what came while it stood still. */
async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      onlyTemporary(error)
      if (tries === 20) throw error
      await sleep(500)
    }
  }
}

/** Reads, decides, writes, and remembers what it was told. */
async function writeOn(catalogue: Catalogue, id: ReturnType<typeof newProjectId>, working: Working) {
  const told = { yes: new Set<WriteId>(), no: new Set<WriteId>(), unknown: new Set<WriteId>() }
  while (working()) {
    const row = aRow({ state: 'committed' })
    try {
      const rev = (await catalogue.read(id))?.statics.rev as bigint
      const set = { rev: rev + 1n }
      const happened = await catalogue.apply(change(id, { epoch: 1n, rev }, set, [{ kind: 'insert', row }]))
      told[happened ? 'yes' : 'no'].add(row.writeId)
    } catch (error) {
      onlyTemporary(error)
      if (error instanceof OutcomeUnknownError) told.unknown.add(row.writeId)
    }
  }
  return told
}

// Because a coordinator that stood still may carry out afterwards what its client gave up long ago.
test('whoever was told yes or no was told the truth, and what settle and commit report stays so', async () => {
  const { home, away, cleanup } = await clusterStores()
  try {
    const id = newProjectId()
    await home.catalogue.apply(creation(id, aStatics()))
    const told: Awaited<ReturnType<typeof writeOn>>[] = []
    const writers = [home, home, away].map(
      ({ catalogue }) =>
        async (working: Working) =>
          void told.push(await writeOn(catalogue, id, working)),
    )
    const checks: (() => Promise<void>)[] = []
    await whileStandingStill([
      ...writers,
      async (working) => void checks.push(await settleOn(home.catalogue, working)),
      async (working) => void checks.push(await commitOn(home.catalogue, away.catalogue, working)),
    ])

    const end = await eventually(() => home.catalogue.read(id))
    same(await eventually(() => away.catalogue.read(id)), end, 'both data centres read the same')
    const there = new Set(end?.rows.keys())
    assert.is(end?.statics.rev, 1n + BigInt(there.size), 'each rev has its row')
    const sum = { yes: 0, no: 0, unknown: 0 }
    for (const { yes, no, unknown } of told) {
      for (const writeId of yes) assert.ok(there.has(writeId), 'who was told yes is there')
      for (const writeId of no) assert.not(there.has(writeId), 'who was told no is not')
      sum.yes += yes.size
      sum.no += no.size
      sum.unknown += unknown.size
    }
    const all = told.flatMap(({ yes, unknown }) => [...yes, ...unknown])
    for (const writeId of there) assert.ok(all.includes(writeId), 'and nobody else')
    assert.ok(sum.yes > 0 && sum.unknown > 0, `the test saw both: ${JSON.stringify(sum)}`)
    for (const check of checks) await check()
  } finally {
    await cleanup()
  }
})

/** One host after another takes a project; what `settle` returned is what the next one finds, however late anything comes. */
async function settleOn(catalogue: Catalogue, working: Working): Promise<() => Promise<void>> {
  const id = newProjectId()
  await catalogue.apply(createProject(id, { owner: newHostId(), nowMs: 0 }))
  let known = await catalogue.read(id)
  let rounds = 0
  while (working()) {
    try {
      const now = await catalogue.read(id)
      if (!now) throw new Error(`project ${id} is gone`)
      if (known) same(now, known, `round ${rounds}: nothing came after settle was done`)
      known = undefined
      known = await settle(catalogue, now, takeOver(now, newHostId()))
      rounds += 1
    } catch (error) {
      onlyTemporary(error)
    }
  }
  return async () => {
    assert.ok(rounds > 3, `only ${rounds} rounds`)
    if (known) same(await eventually(() => catalogue.read(id)), known)
  }
}

/** A write is committed by one and ended by another, from two data centres: what they report agrees with the row. */
async function commitOn(
  catalogue: Catalogue,
  other: Catalogue,
  working: Working,
): Promise<() => Promise<void>> {
  const id = newProjectId()
  const host = newHostId()
  const session = newSessionId()
  await catalogue.apply(createProject(id, { owner: host, nowMs: 0 }))
  const told: { writeId: WriteId; states: string[] }[] = []
  for (let round = 1; working(); round++) {
    const row = aRow({ host, session, to: guid(BigInt(round)), side: true, seqHigh: 64 })
    try {
      const planned = await catalogue.read(id)
      if (!planned || !(await catalogue.apply(beginWrite(planned, row)))) continue
      const states: string[] = []
      told.push({ writeId: row.writeId, states })
      const commit = commitAttempt(catalogue, { writeId: row.writeId, manifest: aManifest(), planned }).then(
        () => 'committed',
        (error: unknown) => {
          if (error instanceof TidepoolError && error.code === 'commit-refused') return 'aborted'
          throw error
        },
      )
      const outcomes = await Promise.allSettled([commit, endWrite(other, id, row)])
      for (const each of outcomes) {
        if (each.status === 'fulfilled') states.push(each.value)
        else onlyTemporary(each.reason)
      }
    } catch (error) {
      onlyTemporary(error)
    }
  }
  return async () => {
    const rows = (await eventually(() => catalogue.read(id)))?.rows
    for (const { writeId, states } of told)
      for (const state of states) assert.is(rows?.get(writeId)?.state, state, writeId)
    assert.ok(told.filter(({ states }) => states.length === 2).length > 3, 'some rounds had their answers')
  }
}
test.run()
