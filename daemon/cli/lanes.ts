/**
 * Draws a graph as text, as logs of version control do: a line for each node, later ones above what they come from,
 * and lanes beside them for the edges.
 */
export interface LaneNode {
  readonly id: string
  /** What it comes from. A parent that is no node itself gets no lane. */
  readonly parents: readonly string[]
  /** One character. */
  readonly mark: string
  /** Its text; the second line and all after it stand beside the lanes below it. */
  readonly lines: readonly string[]
}

/** The order to draw in: each node after all that come from it, and among those that may be next the first given. */
export function childrenFirst(nodes: readonly LaneNode[]): LaneNode[] {
  const left = new Map(nodes.map((node) => [node.id, node]))
  const children = new Map<string, number>()
  for (const { parents } of nodes)
    for (const parent of new Set(parents)) children.set(parent, (children.get(parent) ?? 0) + 1)
  const ordered: LaneNode[] = []
  while (left.size > 0) {
    const free = [...left.values()].find(({ id }) => (children.get(id) ?? 0) === 0)
    // Only a circle has no free node; no `zfs send` makes one, and a picture of it is better than none.
    const next = free ?? (left.values().next().value as LaneNode)
    left.delete(next.id)
    ordered.push(next)
    for (const parent of new Set(next.parents)) children.set(parent, (children.get(parent) ?? 1) - 1)
  }
  return ordered
}

export function drawLanes(nodes: readonly LaneNode[]): string[] {
  const drawn: string[] = []
  const undrawn = new Set(nodes.map(({ id }) => id))
  /** For each lane the node that it leads down to. */
  const lanes: (string | null)[] = []
  for (const { id, parents, mark, lines } of nodes) {
    undrawn.delete(id)
    let own = indices(lanes, id)
    if (own.length === 0) own = [freeLane(lanes, 0)]
    const [at = 0, ...joining] = own
    lanes[at] = id
    if (joining.length > 0) {
      drawn.push(across(lanes, at, joining, '┴', '╯'))
      for (const lane of joining) lanes[lane] = null
      trim(lanes)
    }
    const [first, ...forking] = [...new Set(parents)].filter((parent) => undrawn.has(parent))
    drawn.push(row(lanes, lines[0] ?? '', at, mark))
    lanes[at] = first ?? null
    for (const line of lines.slice(1)) drawn.push(row(lanes, line))
    if (forking.length > 0) {
      const opened = forking.map((parent) => {
        const lane = freeLane(lanes, at + 1)
        lanes[lane] = parent
        return lane
      })
      drawn.push(across(lanes, at, opened, '┬', '╮'))
    }
    trim(lanes)
  }
  return drawn
}

function indices(lanes: readonly (string | null)[], id: string): number[] {
  return lanes.flatMap((lane, at) => (lane === id ? [at] : []))
}

function freeLane(lanes: readonly (string | null)[], from: number): number {
  const free = lanes.indexOf(null, from)
  return free >= 0 ? free : Math.max(lanes.length, from)
}

function trim(lanes: (string | null)[]): void {
  while (lanes.length > 0 && lanes.at(-1) === null) lanes.pop()
}

function row(lanes: readonly (string | null)[], text: string, at = -1, mark = ''): string {
  const cells = lanes.map((lane, index) => (index === at ? mark : lane === null ? ' ' : '│'))
  if (at >= cells.length) cells.push(mark)
  return `${cells.join(' ')}  ${text}`.trimEnd()
}

/** A line from lane `at` to the others, over whatever lanes lie between. */
function across(
  lanes: readonly (string | null)[],
  at: number,
  others: readonly number[],
  middle: string,
  last: string,
): string {
  const end = Math.max(...others)
  let text = ''
  for (let index = 0; index < lanes.length; index++) {
    const inside = index > at && index < end
    if (index === at) text += '├'
    else if (index === end) text += last
    else if (others.includes(index)) text += middle
    else if (lanes[index] === null) text += inside ? '─' : ' '
    else text += inside ? '┼' : '│'
    text += index >= at && index < end ? '─' : ' '
  }
  return text.trimEnd()
}
