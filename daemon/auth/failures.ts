/**
 * How often an origin was refused: past so many times a minute it is told to wait and its refusals are no longer written down
 * one by one. Who proves himself is never kept out by what others did from the same address.
 */
import { LRUCache } from 'lru-cache'

export interface Noted {
  /** 0 while it may go on. */
  readonly waitMs: number
  /** Whether this one is worth a line. */
  readonly tell: boolean
}

const WINDOW_MS = 60_000
const A_WINDOW = 20
/** About 1 MB; past it the longest unseen origin is forgotten. */
const ORIGINS = 10_000

export class Failures {
  readonly #seen = new LRUCache<string, { untilMs: number; count: number }>({ max: ORIGINS })
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  note(origin: string): Noted {
    const nowMs = this.#nowMs()
    const before = this.#seen.get(origin)
    const window = before && before.untilMs > nowMs ? before : { untilMs: nowMs + WINDOW_MS, count: 0 }
    window.count += 1
    this.#seen.set(origin, window)
    const over = window.count > A_WINDOW
    return { waitMs: over ? window.untilMs - nowMs : 0, tell: window.count <= A_WINDOW + 1 }
  }
}

/** Of IPv6 the network: one caller has as many addresses in it as he likes. */
export function originOf(address: string): string {
  if (!address.includes(':')) return address
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === '' ? [] : tail.split(':')
  const all = address.includes('::')
    ? [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back]
    : front
  return `${all.slice(0, 4).join(':')}::/64`
}
