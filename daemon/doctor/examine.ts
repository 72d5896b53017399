/** Runs the checks, all at once and each for a limited time: what hangs costs its own line and nothing else. */
import { LinkedAbort } from '../../pipeline/base/abort.ts'
import { messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import type { Check, Finding, Verdict } from './check.ts'
import type { World } from './world.ts'

export interface Line extends Finding {
  readonly check: string
}

export interface ExamineOptions {
  readonly signal: AbortSignal
  /** Of each check. @default 10 s */
  readonly limitMs?: number
}

const LIMIT_MS = 10_000

/** In the order of the checks. Rejects only where the signal fires. */
export async function examine(
  world: World,
  checks: readonly Check[],
  { signal, limitMs = LIMIT_MS }: ExamineOptions,
): Promise<Line[]> {
  const all = new LinkedAbort(signal)
  try {
    const found = await Promise.all(checks.map((check) => limited(check, world, all.signal, limitMs)))
    signal.throwIfAborted()
    return found.flat()
  } finally {
    all.leave()
  }
}

async function limited(
  check: Check,
  world: World,
  outer: AbortSignal,
  limitMs: number,
): Promise<readonly Line[]> {
  const limit = new LinkedAbort(outer)
  // Whoever does not listen to the signal is left behind.
  const given = new Promise<never>((_, reject) => {
    const leave = (): void => reject(limit.signal.reason)
    if (limit.signal.aborted) leave()
    limit.signal.addEventListener('abort', leave, { once: true })
  })
  const timer = setTimeout(
    () =>
      limit.abort(
        new TidepoolError('doctor-late', `no answer within ${limitMs / 1000} s`, {
          hint: 'dmesg | tail -n 50, which may tell what hangs',
        }),
      ),
    limitMs,
  )
  try {
    const found = await Promise.race([check.run(world, limit.signal), given])
    return [found].flat().map((finding) => ({ check: check.name, ...finding }))
  } catch (error) {
    const { hint } = error instanceof TidepoolError ? error : { hint: undefined }
    return [
      {
        check: check.name,
        verdict: 'fail',
        found: messageOf(error),
        ...(hint !== undefined && { mend: hint }),
      },
    ]
  } finally {
    clearTimeout(timer)
    limit.leave()
  }
}

/** For monitoring: 0 all is well, 1 something wants to be looked at, 2 something does not work. */
export function exitOf(lines: readonly { readonly verdict: Verdict }[]): number {
  const has = (verdict: Verdict): boolean => lines.some((line) => line.verdict === verdict)
  if (has('fail')) return 2
  return has('warn') ? 1 : 0
}
