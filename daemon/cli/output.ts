/** What the command prints on stdout: tables for people, one JSON object a line for machines. */
import type { Writable } from 'node:stream'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'
import { reasonOf } from './errno.ts'

/** Whoever read stdout has gone (`| head`). No reason to say anything. */
export class ReaderLeft extends TidepoolError {
  constructor(cause: unknown) {
    super('reader-left', 'nobody reads the output any more', { cause })
  }
}

/** The values that JSON has no word for: bigints become text, because a JSON number loses what is past 2^53. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, each) => (typeof each === 'bigint' ? String(each) : each))
}

export const utcTime = (ms: number): string => new Date(ms).toISOString()

/** `2026-11-22 10:25:10 +01:00`: this machine's time, and which one that is. */
export function localTime(ms: number, offsetMinutes = -new Date(ms).getTimezoneOffset()): string {
  const text = new Date(ms + offsetMinutes * 60_000).toISOString()
  const sign = offsetMinutes < 0 ? '-' : '+'
  const away = Math.abs(offsetMinutes)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${text.slice(0, 10)} ${text.slice(11, 19)} ${sign}${two(Math.floor(away / 60))}:${two(away % 60)}`
}

/** `1 write`, `2 writes`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

export interface Column {
  readonly title: string
  readonly align?: 'right'
}

/** Columns as wide as their longest cell, two spaces between them, nothing behind the last. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map((column) => column.title), ...rows]
  const widths = columns.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)))
  return all.map((row) =>
    columns
      .map(({ align }, at) => {
        const cell = row[at] ?? ''
        return align === 'right' ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)
      })
      .join('  ')
      .trimEnd(),
  )
}

/** `name   value` lines, for one thing with many properties. */
export function properties(pairs: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
}

export class Output {
  readonly #stream: Writable
  readonly json: boolean
  #failure: unknown
  #settle: ((error: unknown) => void) | undefined

  constructor(stream: Writable, { json }: { json: boolean }) {
    this.#stream = stream
    this.json = json
    // A pipe whose reader left tells it as an event, also between two writes; unheard it would end the process.
    stream.on('error', (error) => {
      this.#failure ??= error
      this.#settle?.(error)
    })
  }

  /** Resolves once the stream has taken the bytes, so that a slow reader is waited for. */
  async write(data: string | Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw translated(this.#failure)
    try {
      await new Promise<void>((resolve, reject) => {
        this.#settle = reject
        this.#stream.write(data, (error) => (error ? reject(error) : resolve()))
      })
    } catch (error) {
      throw translated(error)
    } finally {
      this.#settle = undefined
    }
  }

  async lines(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.write(`${lines.join('\n')}\n`)
  }

  /** One thing: an object for machines, lines for people. */
  async one(value: object, people: () => readonly string[]): Promise<void> {
    await this.lines(this.json ? [toJson(value)] : people())
  }
}

function translated(error: unknown): unknown {
  const errno = errnoOf(error)
  if (errno === undefined) return error
  if (errno === 'EPIPE') return new ReaderLeft(error)
  return new TidepoolError('output-unwritable', `can't write to standard output: ${reasonOf(errno)}`, {
    cause: error,
    hint: 'Look at where it is redirected to: what came there is not whole.',
  })
}
