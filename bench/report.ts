/** What a benchmark reports, as a table for people and as JSON to compare with later. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { arch, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Paired, Spread } from './pairs.ts'

export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly spread?: Spread
  /** What the ratio is taken of, measured in the same run. */
  readonly yardstick?: {
    readonly name: string
    readonly value: number
    readonly ratio: Spread
    readonly pairs: number
  }
  /** What the value, or where there is a yardstick the ratio's median, should be. */
  readonly target?: { readonly atLeast: number } | { readonly atMost: number }
  readonly note?: string
}

export type Suite = (settings: Settings) => Promise<Row[]>

export interface Settings {
  readonly pairs: number
  /** The length of the long streams. */
  readonly bytes: number
  /** About how much the projects hold that stand for somebody's home. */
  readonly projectBytes: number
  readonly random: () => number
  /** A directory on the disk that is measured; the suite cleans up after itself. */
  readonly scratch: string
  /** For whoever waits: what is measured next. */
  readonly tell: (what: string) => void
}

export function pairedRow(
  name: string,
  yardstick: string,
  paired: Paired,
  target?: Row['target'],
  note?: string,
): Row {
  return {
    name,
    value: paired.ours.median,
    unit: 'MiB/s',
    spread: paired.ours,
    yardstick: { name: yardstick, value: paired.yardstick.median, ratio: paired.ratio, pairs: paired.pairs },
    ...(target && { target }),
    ...(note !== undefined && { note }),
  }
}

export function verdict(row: Row): 'met' | 'MISSED' | '' {
  if (!row.target) return ''
  const measured = row.yardstick ? row.yardstick.ratio.median : row.value
  const met = 'atLeast' in row.target ? measured >= row.target.atLeast : measured <= row.target.atMost
  return met ? 'met' : 'MISSED'
}

const COLUMNS = ['what', 'measured', 'yardstick', 'ratio (min…max)', 'target', ''] as const

export function table(rows: readonly Row[]): string {
  const lines = [COLUMNS as readonly string[], ...rows.map(cells)]
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function cells(row: Row): string[] {
  const { yardstick, target } = row
  return [
    row.name,
    `${number(row.value)} ${row.unit}`,
    yardstick ? `${yardstick.name} ${number(yardstick.value)}` : '',
    yardstick
      ? `${yardstick.ratio.median.toFixed(2)} (${yardstick.ratio.min.toFixed(2)}…${yardstick.ratio.max.toFixed(2)})`
      : '',
    target ? ('atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`) : '',
    [verdict(row), row.note].filter(Boolean).join('; '),
  ]
}

const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

export function save(directory: string, suite: string, rows: readonly Row[], settings: Settings): void {
  mkdirSync(directory, { recursive: true })
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    arch: arch(),
    node: process.version,
  }
  const result = {
    suite,
    at: new Date().toISOString(),
    machine,
    pairs: settings.pairs,
    bytes: settings.bytes,
    projectBytes: settings.projectBytes,
    rows,
  }
  writeFileSync(join(directory, `${suite}.json`), `${JSON.stringify(result, null, 1)}\n`)
}
