/**
 * Checks and cleans a store. First everything is looked at, then, if it is told to and the brake allows it, what was
 * found is done. By itself it changes nothing but notes of its own: where it stands, what it has to look at again.
 */
import { humanBytes } from '../base/units.ts'
import type { Store } from '../stores/contract.ts'
import { unchecked } from './attempt.ts'
import { Budget } from './budget.ts'
import { Checkpoint } from './checkpoint.ts'
import { Checks } from './checks.ts'
import { DamagedProjects } from './damaged.ts'
import type { Finding, ScrubSummary } from './findings.ts'
import { Liveness } from './liveness.ts'
import { Orphans } from './orphans.ts'
import { Progress } from './progress.ts'
import { type Run, type ScrubOptions, settingsOf } from './settings.ts'
import { SpoiledProjects } from './spoiled.ts'
import { StaleWrites } from './stale.ts'
import { Survey } from './survey.ts'
import { Tally } from './tally.ts'
import { tidyProject } from './tidy.ts'

/**
 * Yields each finding as soon as it is made, and goes on behind it. Rejects with the signal's reason where that
 * fires; a round of checks is gone on with by the next run. What fails on the way is a finding, never the end.
 */
export async function* scrub(store: Store, options: ScrubOptions): AsyncGenerator<Finding, ScrubSummary> {
  const settings = settingsOf(options)
  const { clock } = settings
  settings.signal?.throwIfAborted()
  const startedMs = clock.monotonicMs()
  const liveness = new Liveness(store.catalogue, {
    clock,
    staleAfterMs: settings.staleAfterMs,
    ...(options.isGone && { isGone: options.isGone }),
  })
  const run: Run = {
    ...settings,
    store,
    liveness,
    budget: new Budget(settings.maxDeleteShare),
    spoiled: new SpoiledProjects(),
    progress: new Progress(options.onProgress),
  }
  const tally = new Tally()
  const work = phases(run)
  try {
    let step = await work.next()
    while (!step.done) {
      tally.note(step.value)
      yield step.value
      step = await work.next()
    }
    const { checkpoint } = step.value
    const { projects, writes, chunks, readBytes } = run.progress.now
    const elapsedMs = clock.monotonicMs() - startedMs
    const perSecond = (count: number): number => (elapsedMs > 0 ? (count * 1000) / elapsedMs : 0)
    return {
      depth: run.depth,
      applied: run.apply,
      ...tally.summary(),
      damagedWrites: checkpoint?.place.damagedWrites ?? 0,
      projects,
      liveBytes: run.budget.liveBytes,
      checkedWrites: writes,
      checkedChunks: chunks,
      readBytes,
      resumed: checkpoint?.resumed ?? false,
      elapsedMs,
      chunksPerSecond: perSecond(chunks),
      bytesPerSecond: perSecond(Number(readBytes)),
    }
  } finally {
    await work.return(undefined as never)
  }
}

interface Ended {
  readonly checkpoint: Checkpoint | undefined
}

async function* phases(run: Run): AsyncGenerator<Finding, Ended> {
  const { store, signal } = run
  const attempt = async function* <T>(
    what: string,
    ask: () => Promise<T>,
  ): AsyncGenerator<Finding, T | undefined> {
    try {
      return await ask()
    } catch (error) {
      yield unchecked(run, what, error)
      return undefined
    }
  }
  const nowMs = yield* attempt("the store's clock", () => store.catalogue.nowMs({ signal }))
  const damaged = yield* attempt('the note of damaged projects', () =>
    DamagedProjects.load(store.catalogue, run),
  )
  const checkpoint =
    run.depth === 'stale'
      ? undefined
      : yield* attempt('the note of where the last run stopped', () =>
          // The time counts for orphans only, which ask the store for it once more.
          Checkpoint.load(store.catalogue, run, nowMs ?? run.clock.wallMs()),
        )
  const survey = new Survey(run, nowMs ?? null, damaged)
  const stale = new StaleWrites(run)
  const orphans = new Orphans(run)
  const checks = checkpoint && new Checks(run, checkpoint, damaged)
  let isRoundComplete = false
  try {
    yield* stale.look()
    yield* survey.walk(stale)
    run.progress.set({ phase: 'checks' })
    if (checks) yield* checks.round()
    isRoundComplete = checks?.isComplete ?? false
    if (checkpoint && isRoundComplete && run.depth === 'deep') {
      yield* orphans.scan(checkpoint)
      isRoundComplete = orphans.isComplete
    }
  } finally {
    await checkpoint?.lastWord()
  }
  const stopped = run.budget.isExceeded
  if (stopped) yield tooMuch(run)
  yield* clean(run, { survey, stale, orphans }, run.apply && !stopped)
  // After a stop nothing is left to do that could change while hosts are watched.
  if (!run.apply || !stopped) {
    run.progress.set({ phase: 'watching' })
    yield* stale.watch(run.apply)
  }
  if (isRoundComplete) await checkpoint?.clear()
  if (checkpoint?.failure !== undefined)
    yield unchecked(run, 'the note of where this run stopped', checkpoint.failure)
  return { checkpoint }
}

async function* clean(
  run: Run,
  { survey, stale, orphans }: { survey: Survey; stale: StaleWrites; orphans: Orphans },
  apply: boolean,
): AsyncGenerator<Finding, void> {
  run.progress.set({ phase: 'cleaning' })
  yield* stale.end(apply)
  try {
    for await (const id of survey.work()) yield* tidyProject(run, id, survey.policyFor(id), apply)
  } catch (error) {
    yield unchecked(run, 'the list of projects', error)
  }
  yield* orphans.remove(apply)
}

function tooMuch({ budget, apply, maxDeleteShare }: Run): Finding {
  const { wantedBytes, allowedBytes } = budget
  const would = apply ? 'nothing was deleted' : 'with it applied nothing would be deleted'
  return {
    kind: 'stopped-for-safety',
    project: null,
    writeId: null,
    message: `${humanBytes(wantedBytes)} would go, and one run may take ${humanBytes(allowedBytes)} (${maxDeleteShare * 100} % of what is alive): ${would}`,
    hint: 'Look at the list of what would go. If that is right, allow this run to delete more.',
    action: 'none',
    wantedBytes,
    allowedBytes,
  }
}
