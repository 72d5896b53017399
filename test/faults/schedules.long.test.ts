/** Random lives of a project under random failures: whatever the schedule, what is committed is whole and what is not goes. */
import { suite } from 'uvu'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import type { Guid } from '../../pipeline/base/ids.ts'
import { markDead } from '../../pipeline/hosts/take.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { withDirectoryStore } from '../support/directory-store.ts'
import { type Fault, faultyStore } from '../support/faulty-store.ts'
import { chance, int, pick, type Random, runSeed, seeded } from '../support/random.ts'
import { auditScrubbed } from './audit.ts'
import { PROJECT, Process, stream } from './history.ts'

const schedules = suite('schedules')

const SHARE = Number(process.env.TIDEPOOL_LONG ?? 0.1)
const FAULTS: readonly Fault[] = ['refused', 'answer-lost', 'lost']

async function life(random: Random, store: Store): Promise<void> {
  const sent = new Map<string, Buffer>()
  const faulty = faultyStore(store, () => (chance(random, rate) ? pick(random, FAULTS) : undefined))
  let rate = 0
  for (let processes = int(random, 1, 4); processes > 0; processes--) {
    // Whoever came before is dead now, whatever it left half-done.
    for await (const row of store.catalogue.hosts())
      if (row.state === 'live') await markDead(store.catalogue, row)
    rate = pick(random, [0, 0.02, 0.1])
    const process = new Process(faulty)
    if (!(await process.begin())) continue
    for (let puts = int(random, 1, 4); puts > 0; puts--) {
      const head = (await store.catalogue.read(PROJECT))?.statics.head ?? null
      const from = pick(random, [head, head, head, null, ...points(sent)])
      const stop = new AbortController()
      const timer = chance(random, 0.2)
        ? setTimeout(() => stop.abort(new TidepoolError('enough', 'stopped')), int(random, 0, 10))
        : undefined
      await process.put(await stream(random, from), sent, stop.signal)
      clearTimeout(timer)
    }
    rate = 0
  }
  await auditScrubbed(store, sent)
}

const points = (sent: ReadonlyMap<string, unknown>): Guid[] =>
  [...sent.keys()].map((edge) => edge.split('-')[1] as Guid)

async function rounds(what: string, count: number, round: (random: Random) => Promise<void>): Promise<void> {
  const seed = runSeed(what)
  for (let number = 0; number < count; number++)
    try {
      await round(seeded(seed + number))
    } catch (error) {
      throw new Error(`round ${number}; alone: TIDEPOOL_SEED=${seed + number}`, { cause: error })
    }
}

schedules('over the in-memory store', () =>
  rounds('in memory', Math.ceil(400 * SHARE), (random) => life(random, memoryStore())),
)

schedules('over a directory', () =>
  rounds('in a directory', Math.ceil(150 * SHARE), (random) =>
    withDirectoryStore((store) => life(random, store)),
  ),
)

schedules.run()
