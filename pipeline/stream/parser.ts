/** Follows a send stream from BEGIN to END without holding its payload, and refuses all that is not one whole stream. */
import type { TidepoolError } from '../base/errors.ts'
import { byteOrderOf, PREFIX_BYTES, parseBegin, type StreamBegin } from './begin.ts'
import { type StreamFaultCode, streamFault } from './faults.ts'
import { type ByteOrder, Fletcher4 } from './fletcher4.ts'
import { CHECKSUM_AT, HEADER_BYTES, Header, RECORD_TYPE, RULES, type StreamKind } from './records.ts'
import { Tally } from './tally.ts'

export type { StreamBegin } from './begin.ts'
export { inspect } from './inspect.ts'

export interface StreamFacts extends StreamBegin {
  readonly bytes: bigint
  /** Uncompressed bytes of the blocks that it brings. */
  readonly logicalBytes: bigint
  /** How many records of each type that occurs. */
  readonly records: Readonly<Record<string, bigint>>
}

export interface ParserOptions {
  /** False only for bytes whose digest a parser that did check has vouched for: follows the records, sums nothing. */
  readonly checksums?: boolean
}

const END_CHECKSUM_AT = 8
const END_FIELDS_END = 48

export class StreamParser {
  readonly #checksums: boolean
  readonly #header = new Header()
  readonly #counts = new Array<number>(RULES.length).fill(0)
  /** A header whose bytes come in several pieces is put together here. */
  readonly #split = new Uint8Array(HEADER_BYTES)
  readonly #splitView = new DataView(this.#split.buffer)
  #splitBytes = 0
  #sum: Fletcher4 | undefined
  #begin: StreamBegin | undefined
  #kind: StreamKind = { raw: false, largeBlocks: false, embedded: false, compressed: false }
  #toGuidHigh = 0
  #toGuidLow = 0
  #lastObject = 0
  #lastOffset = 0
  /** Where in the stream the piece at hand starts, and where in that piece the record at hand does. */
  #base = 0n
  #recordAt = 0
  #recordName = 'BEGIN'
  #payloadLeft = 0
  #ended = false
  readonly #logicalBytes = new Tally()
  #fault: unknown

  constructor({ checksums = true }: ParserOptions = {}) {
    this.#checksums = checksums
  }

  /** Set as soon as the BEGIN record was read and accepted. */
  get begin(): StreamBegin | undefined {
    return this.#begin
  }

  /** Throws a typed error at the first fault; after that every call throws the same. Keeps no reference to `bytes`. */
  push(bytes: Uint8Array): void {
    if (this.#fault !== undefined) throw this.#fault
    try {
      this.#take(bytes)
    } catch (error) {
      this.#fault = error
      throw error
    }
    this.#base += BigInt(bytes.length)
    this.#recordAt -= bytes.length
    this.#header.point(this.#splitView, 0)
  }

  /** Throws unless exactly one complete stream was pushed. */
  end(): StreamFacts {
    if (this.#fault !== undefined) throw this.#fault
    if (this.#begin === undefined || !this.#ended) {
      this.#fault = this.#unfinished()
      throw this.#fault
    }
    const records: Record<string, bigint> = { BEGIN: 1n }
    for (const [type, count] of this.#counts.entries()) {
      const name = RULES[type]?.name
      if (name !== undefined && count > 0) records[name] = BigInt(count)
    }
    return { ...this.#begin, bytes: this.#base, logicalBytes: this.#logicalBytes.total, records }
  }

  #take(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let at = 0
    let summed = 0
    while (at < bytes.length) {
      if (this.#ended) throw this.#refuse('stream-concatenated', at, 'bytes follow the END of the stream')
      if (this.#payloadLeft > 0) {
        const length = Math.min(this.#payloadLeft, bytes.length - at)
        this.#payloadLeft -= length
        at += length
      } else if (this.#splitBytes === 0 && bytes.length - at >= HEADER_BYTES) {
        this.#recordAt = at
        this.#record(view, at, bytes, summed)
        summed = at + CHECKSUM_AT
        at += HEADER_BYTES
      } else {
        this.#sum?.update(bytes, summed, at)
        at += this.#gather(bytes, at)
        summed = at
      }
    }
    this.#sum?.update(bytes, summed, at)
  }

  /** Takes what there is of a header in several pieces, and the whole header once its last byte is there. */
  #gather(bytes: Uint8Array, at: number): number {
    if (this.#splitBytes === 0) this.#recordAt = at
    const length = Math.min(HEADER_BYTES - this.#splitBytes, bytes.length - at)
    this.#split.set(bytes.subarray(at, at + length), this.#splitBytes)
    this.#splitBytes += length
    // Garbage is called so by its first bytes, not truncated once it ends.
    if (this.#begin === undefined) this.#byteOrder(this.#split, 0, Math.min(this.#splitBytes, PREFIX_BYTES))
    if (this.#splitBytes === HEADER_BYTES) {
      this.#splitBytes = 0
      this.#record(this.#splitView, 0, this.#split, 0)
      this.#sum?.update(this.#split, CHECKSUM_AT, HEADER_BYTES)
    }
    return length
  }

  /** `bytes` from `unsummed` on are not in the sum yet; afterwards it stands before this header's own checksum. */
  #record(view: DataView, at: number, bytes: Uint8Array, unsummed: number): void {
    this.#header.point(view, at)
    if (this.#begin === undefined) {
      this.#readBegin(bytes, at)
      this.#sum?.update(bytes, unsummed, at + CHECKSUM_AT)
      return
    }
    const type = this.#header.u32(0)
    if (type === RECORD_TYPE.END) {
      this.#sum?.update(bytes, unsummed, at)
      unsummed = at
      const whole = this.#sum?.matches(view, at + END_CHECKSUM_AT) ?? true
      this.#checkHeader(view, at, bytes, unsummed)
      if (!whole)
        throw this.#refuse('stream-corrupt', this.#recordAt, 'the checksum of the whole stream differs')
    } else {
      this.#checkHeader(view, at, bytes, unsummed)
    }
    this.#accept(type)
  }

  #checkHeader(view: DataView, at: number, bytes: Uint8Array, unsummed: number): void {
    const sum = this.#sum
    if (sum === undefined) return
    sum.update(bytes, unsummed, at + CHECKSUM_AT)
    // All zero means that the sender wrote none; only END's covers what went before then.
    if (this.#header.isZero(CHECKSUM_AT, HEADER_BYTES) || sum.matches(view, at + CHECKSUM_AT)) return
    throw this.#refuse(
      'stream-corrupt',
      this.#recordAt,
      'the checksum in this record differs from the sum of what came before it',
    )
  }

  #byteOrder(bytes: Uint8Array, at: number, length: number): ByteOrder {
    const order = byteOrderOf(bytes, at, length)
    if (order === undefined)
      throw this.#refuse('stream-not-zfs', this.#recordAt, 'this is not how a ZFS send stream starts')
    return order
  }

  #readBegin(bytes: Uint8Array, at: number): void {
    const order = this.#byteOrder(bytes, at, PREFIX_BYTES)
    this.#header.little = order === 'little'
    const { begin, payloadBytes } = parseBegin(this.#header, order)
    this.#payloadLeft = this.#wholeWords(payloadBytes)
    this.#toGuidHigh = this.#header.high(40)
    this.#toGuidLow = this.#header.low(40)
    this.#kind = {
      raw: begin.raw,
      largeBlocks: begin.features.includes('large-blocks'),
      embedded: begin.features.includes('embedded'),
      compressed: begin.features.includes('compressed'),
    }
    if (this.#checksums) this.#sum = new Fletcher4(order)
    this.#begin = begin
  }

  #accept(type: number): void {
    const header = this.#header
    const rule = RULES[type]
    if (rule === undefined) throw this.#refuseType(type)
    this.#recordName = rule.name
    if (header.high(rule.toGuidAt) !== this.#toGuidHigh || header.low(rule.toGuidAt) !== this.#toGuidLow)
      throw this.#malformed(
        `${rule.name} belongs to snapshot ${header.u64(rule.toGuidAt)}, BEGIN to ${this.#begin?.toGuid}`,
      )
    const payloadBytes = rule.payloadBytes(header, this.#kind)
    if (typeof payloadBytes === 'string') throw this.#malformed(`${rule.name}: ${payloadBytes}`)
    this.#payloadLeft = this.#wholeWords(payloadBytes)
    if (type === RECORD_TYPE.WRITE) this.#inOrder()
    if (type === RECORD_TYPE.END) this.#finish()
    this.#counts[type] = (this.#counts[type] ?? 0) + 1
    this.#logicalBytes.add(rule.logicalBytes(header))
  }

  /** Fletcher-4 adds up words of four bytes, so a receiver would leave a rest out. */
  #wholeWords(payloadBytes: number): number {
    if (payloadBytes % 4 !== 0) throw this.#malformed(`a payload of ${payloadBytes} bytes`)
    return payloadBytes
  }

  /** Receivers take blocks only in the order of objects and offsets. */
  #inOrder(): void {
    const [object, offset] = [this.#header.rounded(8), this.#header.rounded(24)]
    if (object < this.#lastObject || (object === this.#lastObject && offset < this.#lastOffset))
      throw this.#malformed(`WRITE to object ${object} comes after one to object ${this.#lastObject}`)
    this.#lastObject = object
    this.#lastOffset = offset
  }

  #finish(): void {
    const header = this.#header
    // Where END has no checksum of its own, nothing else would show a flipped bit in what it leaves empty.
    const unchecked = header.isZero(CHECKSUM_AT, HEADER_BYTES)
    if (unchecked && (header.u32(4) !== 0 || !header.isZero(END_FIELDS_END, CHECKSUM_AT)))
      throw this.#malformed('END holds more than it should')
    this.#ended = true
  }

  #refuseType(type: number): TidepoolError {
    if (type === RECORD_TYPE.WRITE_BYREF)
      return this.#refuse('stream-deduplicated', this.#recordAt, 'this block refers to an earlier one')
    if (type === RECORD_TYPE.REDACT)
      return this.#refuse('stream-redacted', this.#recordAt, 'this range was left out')
    if (type === RECORD_TYPE.BEGIN) return this.#malformed('a second BEGIN before the END of the first')
    return this.#malformed(`no record is of type ${type}`)
  }

  #unfinished(): TidepoolError {
    const bytes = this.#base
    if (bytes === 0n) return streamFault('stream-empty', 0n, 'nothing came')
    const where =
      this.#splitBytes > 0 || this.#begin === undefined
        ? `${HEADER_BYTES - this.#splitBytes} bytes of the header of a record are missing`
        : this.#payloadLeft > 0
          ? `${this.#payloadLeft} bytes of the payload of a ${this.#recordName} record are missing`
          : 'the END record is missing'
    return streamFault('stream-truncated', bytes, where)
  }

  #malformed(why: string): TidepoolError {
    return this.#refuse('stream-malformed', this.#recordAt, why)
  }

  /** `at` counts from the start of the piece at hand. */
  #refuse(code: StreamFaultCode, at: number, why: string): TidepoolError {
    return streamFault(code, this.#base + BigInt(at), why)
  }
}
