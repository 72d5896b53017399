/** Where the daemon says what it does: one line of JSON an event, for journald with the priority in front. */
import { fstatSync } from 'node:fs'
import { type DestinationStream, type Logger, pino } from 'pino'
import { contextNow } from './context.ts'

export type Log = Logger

export const silent: Log = pino({ level: 'silent' })

export interface LogOptions {
  readonly level: string
  readonly write: (line: string) => void
  /** Whether the journal reads it, which takes the priority from `<N>` and has times of its own. */
  readonly journal?: boolean
}

const PRIORITY: Readonly<Record<number, number>> = { 20: 7, 30: 6, 40: 4, 50: 3 }

export function openLog({ level, write, journal = false }: LogOptions): Log {
  const sink: DestinationStream & { lastLevel?: number; [key: symbol]: boolean } = {
    // pino then tells it the level of the line that it is about to write.
    [Symbol.for('pino.metadata')]: true,
    write: (line: string) => write(journal ? `<${PRIORITY[sink.lastLevel ?? 30] ?? 6}>${line}` : line),
  }
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: contextNow,
    },
    sink,
  )
}

/** To standard error, which may be the journal: systemd says which stream is its own. */
export function stderrLog(level: string): Log {
  const { dev, ino } = fstatSync(2)
  const journal = process.env.JOURNAL_STREAM === `${dev}:${ino}`
  return openLog({ level, journal, write: (line) => void process.stderr.write(line) })
}
