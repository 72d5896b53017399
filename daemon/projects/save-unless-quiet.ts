/** The save of a project that nobody asked for: none where nothing was written, which one listing of the pool says of many. */
import type { ProjectId } from '../../pipeline/base/ids.ts'
import { type ActResult, type OnAct, told } from './acts.ts'
import type { ProjectHost } from './host.ts'
import type { Quiet } from './quiet.ts'
import { type Saved, save } from './save.ts'

export interface UnlessQuietOptions {
  readonly signal: AbortSignal
  readonly onAct: OnAct
  /** Called once it has the project for itself and knows what the store has of it. */
  readonly begins: () => void
  /** Hears what a save has shown, also where there was nothing to save. */
  readonly seen: (saved: Saved) => Promise<void>
}

/** What nobody touches costs its part of a listing; resolves with when that was, which may be a while ago. */
export async function saveUnlessQuiet(
  host: ProjectHost,
  quiet: Quiet,
  id: ProjectId,
  { signal, onAct, begins, seen }: UnlessQuietOptions,
): Promise<number | undefined> {
  const act = async (): Promise<Saved | { readonly kind: 'quiet'; readonly untilMs: number }> => {
    const untilMs = await quiet.quietUntilMs(id, { signal })
    if (untilMs !== undefined) return { kind: 'quiet', untilMs }
    quiet.forget(id)
    let hasBegun = false
    const onProgress = (): void => {
      if (!hasBegun) begins()
      hasBegun = true
    }
    const saved = await save(host, id, { signal, quick: true, onProgress })
    // What is not the head is looked at again and again, until it can be set aside.
    if (saved.kind === 'unchanged' && saved.as === 'head') quiet.note(id, saved.footprint)
    return saved
  }
  const done = await told(onAct, { what: 'save', id, byItself: true }, act, {
    // That there was nothing to save each minute is no news.
    result: (saved) => (saved.kind === 'saved' ? savedResult(saved) : undefined),
    // Told to stop is no failure.
    isFailure: () => !signal.aborted,
  })
  if (done.kind === 'quiet') return done.untilMs
  await seen(done)
  return undefined
}

export const savedResult = (saved: Saved): ActResult =>
  saved.kind === 'saved'
    ? { result: saved.placement, bytes: saved.bytes, point: saved.point }
    : { result: 'unchanged' }
