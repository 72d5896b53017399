/** Fletcher-4, the checksum of a ZFS send stream, over bytes that come in pieces of any size. */
import { fletcher4Module, STATE_AT, WINDOW_AT, WINDOW_BYTES } from './fletcher4-wasm.ts'

/**
 * One module serves every sum of this thread: a call is never interrupted, and a WebAssembly memory of its own for
 * each would reserve gigabytes of address space a stream.
 */
const module = fletcher4Module()
const window = new Uint8Array(module.memory.buffer, WINDOW_AT, WINDOW_BYTES)
const state = new Uint32Array(module.memory.buffer, STATE_AT, 8)

export type ByteOrder = 'little' | 'big'

/** The length of a sum where a stream carries one. */
export const SUM_BYTES = 32

export class Fletcher4 {
  /** Low and high half of a, b, c and d in turn, as the module keeps them. */
  readonly #sums = new Uint32Array(8)
  readonly #little: boolean
  readonly #run: (from: number, to: number) => void
  /** The bytes of a word of which the rest has not come yet. */
  readonly #rest = new Uint8Array(4)
  #restBytes = 0

  /** `order` is the stream's: words are read in it, and it is how the stream carries its sums. */
  constructor(order: ByteOrder) {
    this.#little = order === 'little'
    this.#run = this.#little ? module.native : module.swapped
  }

  /** Adds `bytes[from, to)`; keeps no reference to them. */
  update(bytes: Uint8Array, from = 0, to = bytes.length): void {
    if (from >= to) return
    let fill = this.#restBytes
    if (fill > 0) for (let i = 0; i < fill; i++) window[i] = this.#rest[i] ?? 0
    state.set(this.#sums)
    while (from < to) {
      const length = Math.min(to - from, WINDOW_BYTES - fill)
      window.set(bytes.subarray(from, from + length), fill)
      from += length
      fill += length
      const whole = fill & ~3
      if (whole > 0) this.#run(WINDOW_AT, WINDOW_AT + whole)
      // At most three bytes of a word that goes on in what comes next.
      window.copyWithin(0, whole, fill)
      fill -= whole
    }
    this.#sums.set(state)
    for (let i = 0; i < fill; i++) this.#rest[i] = window[i] ?? 0
    this.#restBytes = fill
  }

  /** Whether the sum so far is the one that stands at `at`. Every word must be whole by now. */
  matches(view: DataView, at: number): boolean {
    const sums = this.#sums
    const low = this.#little ? 0 : 4
    for (let i = 0; i < 8; i += 2) {
      if (view.getUint32(at + 4 * i + low, this.#little) !== sums[i]) return false
      if (view.getUint32(at + 4 * i + 4 - low, this.#little) !== sums[i + 1]) return false
    }
    return true
  }

  /** Writes the sum as the stream carries it. */
  write(view: DataView, at: number): void {
    const low = this.#little ? 0 : 4
    for (let i = 0; i < 8; i += 2) {
      view.setUint32(at + 4 * i + low, this.#sums[i] ?? 0, this.#little)
      view.setUint32(at + 4 * i + 4 - low, this.#sums[i + 1] ?? 0, this.#little)
    }
  }

  /** a, b, c and d. */
  sums(): [bigint, bigint, bigint, bigint] {
    const sum = (i: number): bigint =>
      (BigInt(this.#sums[2 * i + 1] ?? 0) << 32n) | BigInt(this.#sums[2 * i] ?? 0)
    return [sum(0), sum(1), sum(2), sum(3)]
  }
}
