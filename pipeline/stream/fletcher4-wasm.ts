/**
 * The inner loop of fletcher-4 as a WebAssembly module, put together here opcode by opcode.
 *
 * Four 64-bit sums do not fit JavaScript's numbers: a loop over pairs of numbers ran at 0.14 GB/s, BigInt at 0.04,
 * this one at several GB/s. A compiled blob in the tree could not be reviewed; the few opcodes below can.
 */

/** Where the four sums lie in the module's memory: a, b, c, d, 8 bytes each, little-endian. */
export const STATE_AT = 0
/** Where the words to be summed are put. */
export const WINDOW_AT = 64
/** Stays in a core's cache between the copy into it and the sum over it; 32 KiB to 1 MiB ran at the same speed. */
export const WINDOW_BYTES = 128 * 1024 - WINDOW_AT
const PAGE_BYTES = 64 * 1024

const I32 = 0x7f
const I64 = 0x7e
const FUNCTION_TYPE = 0x60
const NO_RESULT = 0x40

const op = {
  block: 0x02,
  loop: 0x03,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Load: 0x28,
  i64Load: 0x29,
  i64Load32U: 0x35,
  i64Store: 0x37,
  i32Const: 0x41,
  i32GtU: 0x4b,
  i32Add: 0x6a,
  i32And: 0x71,
  i32Or: 0x72,
  i32Rotl: 0x77,
  i64Add: 0x7c,
  i64ExtendI32U: 0xad,
} as const

/** LEB128: seven bits a byte, the lowest first. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  const low = value & 0x7f
  const rest = value >> 7
  const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)
  return done ? [low] : [low | 0x80, ...signed(rest)]
}

const i32 = (value: number): number[] => [op.i32Const, ...signed(value)]
const get = (local: number): number[] => [op.localGet, ...unsigned(local)]
const set = (local: number): number[] => [op.localSet, ...unsigned(local)]
const tee = (local: number): number[] => [op.localTee, ...unsigned(local)]
/** A load or store: opcode, alignment as a power of two, offset added to the address. */
const memory = (opcode: number, align: number, offset: number): number[] => [
  opcode,
  align,
  ...unsigned(offset),
]

/** Parameters 0 and 1: the addresses of the first byte and of the one after the last. */
const FROM = 0
const TO = 1
const [A, B, C, D] = [2, 3, 4, 5] as const
const WORD = 6
const SUMS = [A, B, C, D] as const

/** Leaves the 32-bit word at `FROM + offset` on the stack, as 64 bits. */
function load(offset: number, swapped: boolean): number[] {
  if (!swapped) return [...get(FROM), ...memory(op.i64Load32U, 2, offset)]
  return [
    ...[...get(FROM), ...memory(op.i32Load, 2, offset), ...set(WORD)],
    ...[...get(WORD), ...i32(8), op.i32Rotl, ...i32(0x00ff00ff), op.i32And],
    ...[...get(WORD), ...i32(24), op.i32Rotl, ...i32(0xff00ff00 | 0), op.i32And],
    ...[op.i32Or, op.i64ExtendI32U],
  ]
}

/** a += word; b += a; c += b; d += c. */
function step(offset: number, swapped: boolean): number[] {
  return [
    ...[...load(offset, swapped), ...get(A), op.i64Add, ...tee(A)],
    ...[...get(B), op.i64Add, ...tee(B)],
    ...[...get(C), op.i64Add, ...tee(C)],
    ...[...get(D), op.i64Add, ...set(D)],
  ]
}

/** Sums `words` words a turn while that many are left. */
function sumLoop(words: number, swapped: boolean): number[] {
  const bytes = 4 * words
  const steps = Array.from({ length: words }, (_, word) => step(4 * word, swapped)).flat()
  return [
    ...[op.block, NO_RESULT, op.loop, NO_RESULT],
    ...[...get(FROM), ...i32(bytes), op.i32Add, ...get(TO), op.i32GtU, op.brIf, 1],
    ...steps,
    ...[...get(FROM), ...i32(bytes), op.i32Add, ...set(FROM)],
    ...[op.br, 0, op.end, op.end],
  ]
}

function sumFunction(swapped: boolean): number[] {
  const code = [
    ...SUMS.flatMap((sum, i) => [...i32(STATE_AT), ...memory(op.i64Load, 3, 8 * i), ...set(sum)]),
    // Eight words a turn, then one: with one alone the counting halves the speed, 2.6 GB/s against 5.6.
    ...sumLoop(8, swapped),
    ...sumLoop(1, swapped),
    ...SUMS.flatMap((sum, i) => [...i32(STATE_AT), ...get(sum), ...memory(op.i64Store, 3, 8 * i)]),
    op.end,
  ]
  const locals = [2, ...[SUMS.length, I64], ...[1, I32]]
  return [...unsigned(locals.length + code.length), ...locals, ...code]
}

const text = (name: string): number[] => [name.length, ...Buffer.from(name, 'latin1')]
const section = (id: number, content: number[]): number[] => [id, ...unsigned(content.length), ...content]

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const pages = Math.ceil((WINDOW_AT + WINDOW_BYTES) / PAGE_BYTES)
  return Uint8Array.from([
    ...[...Buffer.from('\0asm', 'latin1'), 1, 0, 0, 0],
    ...section(1, [1, FUNCTION_TYPE, 2, I32, I32, 0]),
    ...section(3, [2, 0, 0]),
    // The least and the most pages are the same: it never grows, so views of it stay good.
    ...section(5, [1, 1, pages, pages]),
    ...section(7, [
      3,
      ...[...text('memory'), 2, 0],
      ...[...text('native'), 0, 0],
      ...[...text('swapped'), 0, 1],
    ]),
    ...section(10, [2, ...sumFunction(false), ...sumFunction(true)]),
  ])
}

/** As much of it as is used here: its types come only with those of a browser. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

export interface Fletcher4Module {
  readonly memory: { readonly buffer: ArrayBuffer }
  /** Adds the words of `[from, to)`, whole 32-bit words in this machine's order, to the state. */
  readonly native: (from: number, to: number) => void
  /** The same with each word's bytes turned round. */
  readonly swapped: (from: number, to: number) => void
}

export function fletcher4Module(): Fletcher4Module {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()))
  return instance.exports as Fletcher4Module
}
