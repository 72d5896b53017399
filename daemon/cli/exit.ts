/** Exit codes, and how a failure is told: what was tried and why it failed on one line, what to do next on another. */
import { codeOf, messageOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { ReaderLeft, toJson } from './output.ts'

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  stoppedForSafety: 3,
  damageFound: 4,
  interrupted: 130,
} as const

export const EXIT_CODES = `Exit codes:
  0    done
  1    failed
  2    wrong usage: nothing was tried
  3    stopped for safety: nothing was deleted
  4    damage found
  130  interrupted`

const DAMAGE = new Set([
  'write-damaged',
  'chunk-missing',
  'manifest-unreadable',
  'store-damaged',
  'catalogue-damaged',
])

export function exitCodeOf(error: unknown, signal: AbortSignal): number {
  if (signal.aborted) return EXIT.interrupted
  const code = codeOf(error)
  if (code === undefined) return EXIT.failed
  if (code.startsWith('bad-')) return EXIT.usage
  if (code === 'stopped-for-safety') return EXIT.stoppedForSafety
  return DAMAGE.has(code) ? EXIT.damageFound : EXIT.failed
}

/** The text for stderr; empty where there is nothing to say. */
export function describeFailure(error: unknown, { json, debug }: { json: boolean; debug: boolean }): string {
  if (error instanceof ReaderLeft) return ''
  const { code, message, hint, facts } = told(error)
  const stack = debug && error instanceof Error ? `${stacks(error)}\n` : ''
  if (json) return `${stack}${toJson({ error: { code, message, hint, facts } })}\n`
  return `${stack}tidepool: ${message}\n${hint === undefined ? '' : `  ${hint}\n`}`
}

function told(error: unknown): Pick<TidepoolError, 'code' | 'message' | 'hint' | 'facts'> {
  if (error instanceof TidepoolError) return error
  const message = messageOf(error)
  return {
    code: 'unexpected',
    message: `this should not have happened: ${message}`,
    hint: 'Please report it, with what TIDEPOOL_DEBUG=1 in the environment adds to this message.',
    facts: {},
  }
}

function stacks(error: Error): string {
  const own = error.stack ?? error.message
  return error.cause instanceof Error ? `${own}\ncaused by ${stacks(error.cause)}` : own
}
