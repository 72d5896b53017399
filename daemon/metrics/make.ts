/** Makes metrics in one registry, under one prefix; what can be known beforehand begins at 0, so that the first one is seen as a change. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export const PREFIX = 'tidepool_'

/** Each name of a label, with the values that it will have for certain. */
type Labels = Readonly<Record<string, readonly string[]>>

const SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600]

export class Maker {
  readonly registry = new Registry()

  gauge(name: string, help: string, labels: Labels = {}): Gauge {
    return new Gauge(this.#about(name, help, labels))
  }

  counter(name: string, help: string, labels: Labels = {}): Counter {
    const made = new Counter(this.#about(name, help, labels))
    for (const known of combinations(labels)) made.inc(known, 0)
    return made
  }

  seconds(name: string, help: string, labels: Labels = {}): Histogram {
    const made = new Histogram({ ...this.#about(name, help, labels), buckets: SECONDS })
    for (const known of combinations(labels)) made.zero(known)
    return made
  }

  #about(name: string, help: string, labels: Labels) {
    return { name: PREFIX + name, help, labelNames: Object.keys(labels), registers: [this.registry] }
  }
}

/** Of none there is one: the metric without labels. */
function combinations(labels: Labels): Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (all, [name, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
    [{}],
  )
}
