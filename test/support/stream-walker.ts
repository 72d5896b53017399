/** A slow, plain second opinion on a send stream: written from the format alone, shares no code with the parser. */

export interface Walked {
  readonly toGuid: bigint
  readonly fromGuid: bigint
  readonly logicalBytes: bigint
  readonly records: number
}

const BLOCK = { least: 512n, old: 131_072n, most: 16_777_216n }
const TOP = 2n ** 64n

class NotAStream extends Error {}

function demand(condition: boolean, what: string): void {
  if (!condition) throw new NotAStream(what)
}

/** The facts of a whole stream that any receiver takes, or what is wrong with it. */
export function walk(stream: Buffer): Walked | string {
  try {
    return new Walker(stream).walk()
  } catch (error) {
    if (error instanceof NotAStream) return error.message
    throw error
  }
}

class Walker {
  readonly #stream: Buffer
  readonly #little: boolean
  #at = 0
  #sums = [0n, 0n, 0n, 0n]
  #features = 0n

  constructor(stream: Buffer) {
    demand(stream.length >= 624, 'too short')
    this.#stream = stream
    this.#little = stream[8] === 0xac
  }

  walk(): Walked {
    const payload = this.#begin()
    const [toGuid, fromGuid] = [this.#u64(40), this.#u64(48)]
    this.#sum(0, 312)
    this.#skip(312, payload)
    let logicalBytes = 0n
    let last = [0n, 0n]
    for (let records = 2; ; records++) {
      demand(this.#at + 312 <= this.#stream.length, 'header cut off')
      const type = this.#u32(0)
      this.#checksums(type)
      const guidAt = [0, 40, 24, 40, 32, 40, 0, 24, 32, 24][type] ?? 0
      demand(guidAt > 0 && this.#u64(guidAt) === toGuid, 'type or toguid')
      if (type === 3) {
        const place = [this.#u64(8), this.#u64(24)]
        demand(!before(place, last), 'order')
        last = place
      }
      if (type === 5) {
        const empty = (from: number, to: number): boolean =>
          this.#stream.subarray(this.#at + from, this.#at + to).every((byte) => byte === 0)
        demand(!empty(280, 312) || (empty(4, 8) && empty(48, 280)), 'END')
        demand(this.#at + 312 === this.#stream.length, 'more after END')
        return { toGuid, fromGuid, logicalBytes, records }
      }
      const { length, logical } = this.#record(type)
      logicalBytes += logical
      this.#skip(312, length)
    }
  }

  #begin(): bigint {
    demand(this.#u32(0) === 0 && this.#u64(8) === 0x2f5bacbacn, 'magic')
    demand((this.#u64(16) & 3n) === 1n, 'kind')
    this.#features = this.#u64(16) >> 2n
    for (const bit of [0, 1, 20, 21]) demand(!this.#has(bit), 'feature')
    const payload = this.#u32(4)
    demand(this.#has(24) ? payload > 0 : payload === 0, 'payload of BEGIN')
    demand(payload <= 0x1000_0000, 'payload of BEGIN')
    demand(this.#u64(24) <= 8_640_000_000_000n && this.#u32(32) <= 5, 'time or type')
    demand(this.#u64(40) !== 0n && this.#u64(40) !== this.#u64(48), 'guids')
    const name = this.#stream.subarray(56, 312)
    const length = name.indexOf(0)
    demand(/^[\x20-\x7e]+@[\x20-\x7e]+$/.test(name.toString('latin1', 0, Math.max(length, 0))), 'name')
    return BigInt(payload)
  }

  #record(type: number): { length: bigint; logical: bigint } {
    const raw = this.#has(24)
    const object = this.#u64(8)
    if (type !== 2 && type !== 9) demand(object > 0n && object < 2n ** 48n, 'object')
    switch (type) {
      case 1: {
        const [bonus, rawBonus, slots] = [this.#u32(28), this.#u32(36), this.#u8(34) || 1]
        demand(slots <= 32, 'slots')
        demand(Math.max(bonus, rawBonus) <= 512 * slots - 192, 'bonus')
        demand(raw ? rawBonus >= bonus : rawBonus === 0, 'raw bonus')
        return { length: rawBonus > 0 ? BigInt(rawBonus) : (BigInt(bonus + 7) / 8n) * 8n, logical: 0n }
      }
      case 2:
        demand(object + this.#u64(16) < TOP, 'freed objects')
        return { length: 0n, logical: 0n }
      case 3: {
        const [offset, logical, stored] = [this.#u64(24), this.#u64(32), this.#u64(96)]
        const compressed = this.#u8(50) !== 0
        demand(offset + logical < TOP && logical >= BLOCK.least && logical <= BLOCK.most, 'block')
        demand(logical <= BLOCK.old || this.#has(19), 'large block')
        if (compressed) demand((raw || this.#has(22)) && stored > 0n && stored <= logical, 'compressed')
        else demand(!raw && stored === 0n, 'not compressed')
        return { length: compressed ? stored : logical, logical }
      }
      case 4: {
        const [offset, length] = [this.#u64(16), this.#u64(24)]
        demand(length === TOP - 1n || offset + length < TOP, 'freed bytes')
        return { length: 0n, logical: 0n }
      }
      case 7: {
        const [logical, stored] = [this.#u64(16), this.#u64(40)]
        demand(logical >= BLOCK.least && logical <= BLOCK.most && stored <= logical, 'spill')
        demand(raw ? stored > 0n : stored === 0n, 'spill')
        return { length: raw ? stored : logical, logical }
      }
      case 8: {
        const [offset, length, logical, stored] = [this.#u64(16), this.#u64(24), this.#u32(48), this.#u32(52)]
        demand(!raw && this.#has(16) && stored <= 112 && stored <= logical, 'embedded')
        demand(BigInt(logical) <= length && length <= BLOCK.most && offset + length < TOP, 'embedded')
        return { length: BigInt(Math.ceil(stored / 8) * 8), logical: length }
      }
      default: {
        const range = [this.#u64(8) % 32n, this.#u64(16)]
        demand(raw && range[0] === 0n && range[1] === 32n && object < 2n ** 48n, 'range')
        return { length: 0n, logical: 0n }
      }
    }
  }

  /** That of the whole stream in END, that of the record in any, and the sum goes on behind the header. */
  #checksums(type: number): void {
    const at = (offset: number): bigint[] => [0, 8, 16, 24].map((each) => this.#u64(offset + each))
    const differs = (offset: number): boolean => at(offset).some((sum, i) => sum !== this.#sums[i])
    demand(type !== 5 || !differs(8), 'checksum of the stream')
    this.#sum(this.#at, this.#at + 280)
    demand(at(280).every((sum) => sum === 0n) || !differs(280), 'checksum of the record')
    this.#sum(this.#at + 280, this.#at + 312)
  }

  #skip(header: number, payload: bigint): void {
    demand(payload % 4n === 0n, 'words')
    demand(BigInt(this.#at + header) + payload <= BigInt(this.#stream.length), 'payload cut off')
    this.#sum(this.#at + header, this.#at + header + Number(payload))
    this.#at += header + Number(payload)
  }

  #sum(from: number, to: number): void {
    let [a = 0n, b = 0n, c = 0n, d = 0n] = this.#sums
    for (let at = from; at < to; at += 4) {
      a += BigInt(this.#little ? this.#stream.readUInt32LE(at) : this.#stream.readUInt32BE(at))
      b += a
      c += b
      d += c
    }
    this.#sums = [a, b, c, d].map((sum) => BigInt.asUintN(64, sum))
  }

  #has(bit: number): boolean {
    return ((this.#features >> BigInt(bit)) & 1n) === 1n
  }

  #u8(offset: number): number {
    return this.#stream.readUInt8(this.#at + offset)
  }

  #u32(offset: number): number {
    return this.#little
      ? this.#stream.readUInt32LE(this.#at + offset)
      : this.#stream.readUInt32BE(this.#at + offset)
  }

  #u64(offset: number): bigint {
    return this.#little
      ? this.#stream.readBigUInt64LE(this.#at + offset)
      : this.#stream.readBigUInt64BE(this.#at + offset)
  }
}

function before(one: readonly bigint[], other: readonly bigint[]): boolean {
  const [[a = 0n, b = 0n], [c = 0n, d = 0n]] = [one, other]
  return a < c || (a === c && b < d)
}
