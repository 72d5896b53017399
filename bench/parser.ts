/** How fast one core follows a stream, with its checksums and without. `npx tsx bench/parser.ts` prints it. */
import { pathToFileURL } from 'node:url'
import type { ByteOrder } from '../pipeline/stream/fletcher4.ts'
import { StreamParser } from '../pipeline/stream/parser.ts'
import { generateStream } from '../test/support/stream-generator.ts'

export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
}

/** Far more than any cache of a processor holds, little enough for a small machine's memory. */
const BYTES = 256 * 1024 * 1024
/** Odd, for a middle one; the machine is shared, so single rounds lie. */
const ROUNDS = 7

interface Case {
  readonly name: string
  readonly recordBytes: number
  readonly pieceBytes: number
  readonly byteOrder?: ByteOrder
}

const CASES: readonly Case[] = [
  // What `zfs send` gives by default, in pieces as large as a file is read and as a pipe gives them.
  { name: '128 KiB records, 1 MiB pieces', recordBytes: 131_072, pieceBytes: 1_048_576 },
  { name: '128 KiB records, 64 KiB pieces', recordBytes: 131_072, pieceBytes: 65_536 },
  // A database's dataset: the work for each record counts most.
  { name: '4 KiB records, 64 KiB pieces', recordBytes: 4096, pieceBytes: 65_536 },
  // Each word has to be turned round.
  {
    name: '128 KiB records, big-endian, 1 MiB pieces',
    recordBytes: 131_072,
    pieceBytes: 1_048_576,
    byteOrder: 'big',
  },
]

export async function parserRows(): Promise<Row[]> {
  const rows: Row[] = []
  for (const { name, ...options } of CASES) {
    const pieces: Buffer[] = []
    for await (const piece of generateStream({ seed: 1, bytes: BYTES, ...options })) pieces.push(piece)
    rows.push(...speeds(`parser: framing, ${name}`, () => follow(pieces, false)))
    rows.push(...speeds(`parser: framing and fletcher-4, ${name}`, () => follow(pieces, true)))
  }
  return rows
}

function follow(pieces: readonly Buffer[], checksums: boolean): void {
  const parser = new StreamParser({ checksums })
  for (const piece of pieces) parser.push(piece)
  parser.end()
}

/** The middle one of the rounds, and the slowest and fastest beside it. */
function speeds(name: string, round: () => void): Row[] {
  round()
  const found = Array.from({ length: ROUNDS }, () => {
    const start = performance.now()
    round()
    return BYTES / 1e6 / (performance.now() - start)
  }).sort((one, other) => one - other)
  const row = (label: string, index: number): Row => ({
    name: `${name}${label}`,
    value: Number((found[index] ?? 0).toFixed(2)),
    unit: 'GB/s',
  })
  return [row('', (ROUNDS - 1) / 2), row(' (slowest)', 0), row(' (fastest)', ROUNDS - 1)]
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  for (const { name, value, unit } of await parserRows()) console.log(`${name}: ${value} ${unit}`)
