/** How fast one core follows a stream, with its checksums and without. */
import type { ByteOrder } from '../pipeline/stream/fletcher4.ts'
import { StreamParser } from '../pipeline/stream/parser.ts'
import { generateStream } from '../test/support/stream-generator.ts'
import { spread } from './pairs.ts'
import type { Row } from './report.ts'

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

export async function parser(): Promise<Row[]> {
  const rows: Row[] = []
  for (const { name, ...options } of CASES) {
    const pieces: Buffer[] = []
    for await (const piece of generateStream({ seed: 1, bytes: BYTES, ...options })) pieces.push(piece)
    rows.push(speed(`framing, ${name}`, 2, () => follow(pieces, false)))
    rows.push(speed(`framing and fletcher-4, ${name}`, 1, () => follow(pieces, true)))
  }
  return rows
}

function follow(pieces: readonly Buffer[], checksums: boolean): void {
  const parser = new StreamParser({ checksums })
  for (const piece of pieces) parser.push(piece)
  parser.end()
}

function speed(name: string, atLeast: number, round: () => void): Row {
  round()
  const found = spread(
    Array.from({ length: ROUNDS }, () => {
      const start = performance.now()
      round()
      return BYTES / 1e6 / (performance.now() - start)
    }),
  )
  return { name, value: found.median, spread: found, unit: 'GB/s', target: { atLeast } }
}
