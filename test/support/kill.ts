/** Puts that are killed at random moments, over any store that the command opens by its URL. */
import { Readable, Transform } from 'node:stream'
import pump from 'pump'
import * as assert from 'uvu/assert'
import { openStore } from '../../pipeline/stores/open.ts'
import { auditCommitted, auditScrubbed } from '../faults/audit.ts'
import { tidepool } from './command.ts'
import { type Ended, spawnTidepool } from './command-child.ts'
import { int, pick, type Random } from './random.ts'
import { streamBytes } from './stream-generator.ts'

/** When the kill comes: while the process starts, while it stores, or while it commits and gives back. */
type Moment =
  | { readonly kind: 'start'; readonly ms: number }
  | { readonly kind: 'fed'; readonly bytes: number; readonly ms: number }
  | { readonly kind: 'end'; readonly ms: number }

export interface KillReport {
  readonly killed: number
  readonly finished: number
}

const MIB = 1024 * 1024

/** Throws unless, after a scrub, the store holds exactly the committed writes, each byte for byte, and every head is reachable. */
export async function killPuts(url: string, rounds: number, random: Random): Promise<KillReport> {
  const sent = new Map<string, Buffer>()
  const report = { killed: 0, finished: 0 }
  for (let round = 1; round <= rounds; round++) {
    const project = pick(random, ['p1', 'p2'])
    const from = await headOf(url, project)
    const to = `${1000 + round}`
    const stream = await streamBytes({
      seed: int(random, 1, 1e9),
      bytes: 8 * int(random, 1000, MIB),
      fromGuid: from,
      toGuid: to,
      name: `tank/${project}@${round}`,
      createdAtMs: Date.UTC(2026, 0, 1) + round * 60_000,
    })
    sent.set(`${from}-${to}`, stream)
    const moment = momentOf(random, stream.length)
    const { signal, code, stderr } = await putAndKill(url, project, stream, moment)
    if (signal === 'SIGKILL') report.killed++
    else {
      // A kill that came too late; then it must have done what it should, also after all those before it.
      assert.is(code, 0, `round ${round}, ${JSON.stringify(moment)}: ${stderr}`)
      assert.is(await headOf(url, project), to, `round ${round} said that it was stored`)
      report.finished++
    }
  }
  await scrubbed(url, sent)
  return report
}

function momentOf(random: Random, bytes: number): Moment {
  const ms = int(random, 0, 150)
  return pick(random, [
    { kind: 'start', ms: int(random, 300, 1500) },
    { kind: 'fed', bytes: int(random, 0, bytes), ms: int(random, 0, 20) },
    { kind: 'fed', bytes: int(random, 0, bytes), ms },
    { kind: 'end', ms },
  ] satisfies Moment[])
}

async function putAndKill(url: string, project: string, stream: Buffer, moment: Moment): Promise<Ended> {
  const { child, ended } = spawnTidepool(['--store', url, 'stream', 'put', project, '--chunk-size', '64K'])
  let timer: NodeJS.Timeout | undefined
  const killIn = (ms: number): void => {
    timer ??= setTimeout(() => child.kill('SIGKILL'), ms)
  }
  if (moment.kind === 'start') killIn(moment.ms)
  let fed = 0
  const meter = new Transform({
    transform(piece: Buffer, _encoding, done) {
      fed += piece.length
      if (moment.kind === 'fed' && fed >= moment.bytes) killIn(moment.ms)
      done(null, piece)
    },
  })
  pump(Readable.from(pieces(stream)), meter, child.stdin, () => {
    if (moment.kind === 'end') killIn(moment.ms)
  })
  const end = await ended
  clearTimeout(timer)
  return end
}

function* pieces(stream: Buffer): Generator<Buffer> {
  for (let at = 0; at < stream.length; at += 32 * 1024) yield stream.subarray(at, at + 32 * 1024)
}

async function headOf(url: string, project: string): Promise<string | null> {
  const { json } = await tidepool(['--store', url, '--json', 'stream', 'ls'])
  return (json.find((each) => each.project === project)?.head ?? null) as string | null
}

/** A dead process of this machine is known at once, so the scrub waits for nobody. */
async function scrubbed(url: string, sent: ReadonlyMap<string, Buffer>): Promise<void> {
  // The first run may supersede what the second removes.
  for (let run = 0; run < 2; run++) {
    const scrub = ['--store', url, 'scrub', '--delete', '--keep-superseded', '0s', '--max-delete', '100%']
    const { code, stderr, stdout } = await tidepool(scrub)
    assert.is(code, 0, `${stderr}${stdout}`)
  }
  const { store, close } = await openStore(url)
  try {
    const committed = await auditCommitted(store, sent)
    const stored = new Set<string>()
    for await (const { writeId, what } of store.blobs.stored()) stored.add(writeId ?? what)
    assert.equal([...stored].sort(), committed, 'nothing but committed writes is stored')
    await auditScrubbed(store, sent)
  } finally {
    await close()
  }
}
