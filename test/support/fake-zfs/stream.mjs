// Send streams of the fake: real records (BEGIN, WRITE, END with its checksum), whose one object is the packed file tree.
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

const HEADER = 312
const MAGIC = 0x2f5bacbacn
const BLOCK = 128 * 1024

export function pack(root) {
  const entries = []
  const walk = (relative) => {
    for (const name of readdirSync(join(root, relative)).sort()) {
      const path = join(relative, name)
      const info = lstatSync(join(root, path))
      const mode = info.mode & 0o7777
      if (info.isDirectory()) {
        entries.push([path, 'd', mode])
        walk(path)
      } else if (info.isSymbolicLink()) entries.push([path, 'l', mode, readlinkSync(join(root, path))])
      else entries.push([path, 'f', mode, readFileSync(join(root, path)).toString('base64')])
    }
  }
  walk('')
  return JSON.stringify([lstatSync(root).mode & 0o7777, entries])
}

export function unpack(root, text) {
  rmSync(root, { recursive: true, force: true })
  mkdirSync(root, { recursive: true })
  const [rootMode, entries] = JSON.parse(text)
  for (const [path, kind, mode, data] of entries) {
    const full = join(root, path)
    if (kind === 'd') mkdirSync(full)
    else if (kind === 'l') symlinkSync(data, full)
    else writeFileSync(full, Buffer.from(data, 'base64'))
    if (kind !== 'l') chmodSync(full, mode)
  }
  chmodSync(root, rootMode)
}

/** Four running sums over 32-bit words, as in every send stream. */
class Fletcher {
  a = 0n
  b = 0n
  c = 0n
  d = 0n
  push(bytes) {
    const mask = 2n ** 64n - 1n
    for (let at = 0; at < bytes.length; at += 4) {
      this.a = (this.a + BigInt(bytes.readUInt32LE(at))) & mask
      this.b = (this.b + this.a) & mask
      this.c = (this.c + this.b) & mask
      this.d = (this.d + this.c) & mask
    }
  }
}

/** Without a text nothing has changed since the base: no record between BEGIN and END. */
export function* encode({ toGuid, fromGuid, name, createdS, text }) {
  const sum = new Fletcher()
  const begin = Buffer.alloc(HEADER)
  begin.writeBigUInt64LE(MAGIC, 8)
  begin.writeBigUInt64LE(1n, 16)
  begin.writeBigUInt64LE(BigInt(createdS), 24)
  begin.writeUInt32LE(2, 32)
  begin.writeBigUInt64LE(BigInt(toGuid), 40)
  begin.writeBigUInt64LE(BigInt(fromGuid ?? 0), 48)
  begin.write(name, 56, 255, 'latin1')
  sum.push(begin)
  yield begin
  const bytes = Buffer.from(text ?? '')
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(BigInt(bytes.length))
  const all = text === undefined ? '' : Buffer.concat([prefix, bytes, Buffer.alloc(-bytes.length & 511)])
  for (let at = 0; at < all.length; at += BLOCK) {
    const payload = Buffer.from(all.subarray(at, at + BLOCK))
    const padded = Buffer.concat([payload, Buffer.alloc(-payload.length & 511)])
    const write = Buffer.alloc(HEADER)
    write.writeUInt32LE(3, 0)
    write.writeBigUInt64LE(8n, 8)
    write.writeUInt32LE(19, 16)
    write.writeBigUInt64LE(BigInt(at), 24)
    write.writeBigUInt64LE(BigInt(padded.length), 32)
    write.writeBigUInt64LE(BigInt(toGuid), 40)
    for (const part of [write, padded]) {
      sum.push(part)
      yield part
    }
  }
  const end = Buffer.alloc(HEADER)
  end.writeUInt32LE(5, 0)
  for (const [index, word] of [sum.a, sum.b, sum.c, sum.d].entries())
    end.writeBigUInt64LE(word, 8 + 8 * index)
  end.writeBigUInt64LE(BigInt(toGuid), 40)
  yield end
}

/** What stdin brings, up to its END. Throws 'empty', 'magic', 'truncated' or 'checksum'. */
export async function decode(stdin) {
  let held = Buffer.alloc(0)
  const pieces = stdin[Symbol.asyncIterator]()
  const take = async (bytes, otherwise) => {
    const parts = [held]
    let length = held.length
    while (length < bytes) {
      const { done, value } = await pieces.next()
      if (done) throw new Error(otherwise)
      parts.push(value)
      length += value.length
    }
    const all = Buffer.concat(parts)
    held = all.subarray(bytes)
    return all.subarray(0, bytes)
  }
  const sum = new Fletcher()
  const begin = await take(HEADER, 'empty')
  if (begin.readUInt32LE(0) !== 0 || begin.readBigUInt64LE(8) !== MAGIC) throw new Error('magic')
  sum.push(begin)
  const payloads = []
  for (;;) {
    const header = await take(HEADER, 'truncated')
    const type = header.readUInt32LE(0)
    if (type === 5) {
      const sums = [0, 1, 2, 3].map((index) => header.readBigUInt64LE(8 + 8 * index))
      if ([sum.a, sum.b, sum.c, sum.d].some((word, index) => word !== sums[index]))
        throw new Error('checksum')
      break
    }
    if (type !== 3) throw new Error('checksum')
    sum.push(header)
    const length = Number(header.readBigUInt64LE(32))
    if (length > 16 * 1024 * 1024) throw new Error('checksum')
    const payload = await take(length, 'truncated')
    sum.push(payload)
    payloads.push(payload)
  }
  const all = Buffer.concat(payloads)
  const fromGuid = begin.readBigUInt64LE(48)
  return {
    toGuid: String(begin.readBigUInt64LE(40)),
    fromGuid: fromGuid === 0n ? undefined : String(fromGuid),
    createdS: Number(begin.readBigUInt64LE(24)),
    name: begin.toString('latin1', 56, begin.indexOf(0, 56)),
    text: all.length === 0 ? undefined : all.toString('utf8', 8, 8 + Number(all.readBigUInt64LE(0))),
  }
}
