/** What must hold of a store after any schedule of failures: nothing lost, nothing wrong, and after a scrub nothing left over. */
import * as assert from 'uvu/assert'
import { isPoint } from '../../pipeline/graph/transitions/points.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import type { Finding } from '../../pipeline/scrub/findings.ts'
import { scrub } from '../../pipeline/scrub/scrub.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { download } from '../../pipeline/transfer/download.ts'
import { extentOf } from '../../pipeline/transfer/restore.ts'

/** What was put, by the points that it leads between: `from-to`. */
export type Sent = ReadonlyMap<string, Buffer>

/** Throws where a committed write is not what was sent, or a head can't be reached; the ids of the committed writes. */
export async function auditCommitted(store: Store, sent: Sent): Promise<string[]> {
  const limiter = fixedLimiter({ count: 8, maxBytes: 1e9 })
  const committed: string[] = []
  for await (const { id } of store.catalogue.projects()) {
    const project = await store.catalogue.read(id)
    assert.ok(project)
    const { head } = project.statics
    if (head !== null) assert.ok(isPoint(project, head), `the head ${head} of ${id} can't be reached`)
    for (const row of project.rows.values()) {
      if (row.state !== 'committed') continue
      const pieces: Buffer[] = []
      for await (const piece of download(store.blobs, extentOf(id, row), { limiter, priority: 'open' }))
        pieces.push(Buffer.from(piece))
      const expected = sent.get(`${row.from}-${row.to}`)
      assert.ok(expected?.equals(Buffer.concat(pieces)), `write ${row.writeId} is not what was sent`)
      committed.push(row.writeId)
    }
  }
  return committed.sort()
}

/** Scrubs as after everybody has died, and throws unless exactly the committed writes are stored then. */
export async function auditScrubbed(store: Store, sent: Sent): Promise<void> {
  const before = await auditCommitted(store, sent)
  // An orphan is looked at twice before it goes, and what the first run ends the second may have to sweep.
  for (let run = 0; run < 3; run++) for (const finding of await scrubAll(store)) refuseDamage(finding)
  const after = await auditCommitted(store, sent)
  // A scrub may supersede what no kept point needs, and never adds anything.
  for (const writeId of after) assert.ok(before.includes(writeId))
  const stored = new Set<string>()
  for await (const { writeId, what } of store.blobs.stored()) {
    assert.ok(writeId, `${what} belongs to no write`)
    stored.add(writeId)
  }
  assert.equal([...stored].sort(), after)
  for await (const { host } of store.catalogue.hosts())
    for await (const { row } of store.catalogue.writing(host))
      assert.unreachable(`write ${row.writeId} is still noted`)
}

async function scrubAll(store: Store): Promise<Finding[]> {
  const findings: Finding[] = []
  const run = scrub(store, {
    depth: 'deep',
    apply: true,
    staleAfterMs: 0,
    supersededGraceMs: 0,
    orphanAgeMs: 0,
    maxDeleteShare: 1,
  })
  for await (const finding of run) findings.push(finding)
  return findings
}

const DAMAGE = /damaged|missing|mismatch|unreadable|unchecked/

function refuseDamage({ kind, message }: Finding): void {
  assert.not.ok(DAMAGE.test(kind), `${kind}: ${message}`)
}
