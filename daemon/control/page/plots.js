/** Draws: elements without any markup as text, small plots, and the graph of a project's points. */
const SVG = 'http://www.w3.org/2000/svg'

/** Everything that comes from outside goes in as text or as an attribute, never as markup. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children)
}

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children)
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== null) node.setAttribute(name, String(value))
  node.append(
    ...children.flat(Number.POSITIVE_INFINITY).filter((child) => child !== null && child !== undefined),
  )
  return node
}

export function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = Number(count)
  let at = 0
  for (; value >= 1024 && at < units.length - 1; at++) value /= 1024
  return `${at === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[at]}`
}

export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  return minutes < 2880
    ? `${Math.floor(minutes / 60)} h ${minutes % 60} min`
    : `${Math.floor(minutes / 1440)} d`
}

const WIDTH = 300
const HEIGHT = 80

/** `points`: pairs of time and value, or of time and null for a gap. A line, or dots where each stands alone. */
export function plot(label, points, { dots = false, max } = {}) {
  const known = points.filter(([, value]) => value !== null)
  const [first, last] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 1]
  const top = max || Math.max(1, ...known.map(([, value]) => value)) * 1.1
  const x = (at) => (last === first ? WIDTH : ((at - first) / (last - first)) * WIDTH)
  const y = (value) => HEIGHT - (value / top) * HEIGHT
  const line = known.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`)
  const box = svg('svg', {
    class: 'plot',
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: dots ? 'xMidYMid meet' : 'none',
    role: 'img',
    'aria-label': label,
  })
  box.append(svg('line', { class: 'floor', x1: 0, y1: HEIGHT, x2: WIDTH, y2: HEIGHT }))
  if (dots)
    for (const [at, value] of known)
      box.append(
        svg('circle', { class: 'dot', cx: x(at), cy: y(value), r: 3 }, svg('title', {}, duration(value))),
      )
  else if (line.length > 1)
    box.append(
      svg('polygon', {
        class: 'area',
        points: `${x(known[0][0])},${HEIGHT} ${line.join(' ')} ${x(known.at(-1)[0])},${HEIGHT}`,
      }),
      svg('polyline', { class: 'curve', points: line.join(' ') }),
    )
  return box
}

/** Points stand in the order of time, side points on a line of their own; each stream is an arc from where it begins. */
export function graph(streams) {
  const points = []
  for (const stream of streams) if (!points.some(({ to }) => to === stream.to)) points.push(stream)
  const STEP = 104
  const place = new Map(
    points.map((point, at) => [point.to, { x: 110 + at * STEP, y: point.kept ? 150 : 70 }]),
  )
  const start = { x: 24, y: 70 }
  const box = svg('svg', {
    class: 'graph',
    width: 180 + points.length * STEP,
    height: 210,
    role: 'img',
    'aria-label': `${points.length} points`,
  })
  box.append(
    svg('circle', { cx: start.x, cy: start.y, r: 4 }),
    svg('text', { class: 'faint', x: start.x, y: 96 }, 'nothing'),
  )
  for (const { from, to } of streams) {
    const a = place.get(from) ?? start
    const b = place.get(to)
    const lift = a.y === b.y ? a.y - Math.min(56, (b.x - a.x) / 5) : (a.y + b.y) / 2
    box.prepend(svg('path', { class: 'edge', d: `M${a.x},${a.y} Q${(a.x + b.x) / 2},${lift} ${b.x},${b.y}` }))
  }
  for (const point of points) {
    const { x, y } = place.get(point.to)
    const kind = point.isHead ? 'point head' : point.kept ? 'point side' : 'point'
    const time = new Date(point.atMs)
    box.append(
      svg(
        'g',
        { class: kind, 'data-point': point.to },
        svg('title', {}, `${point.to}, ${time.toLocaleString()}`),
        svg('circle', { cx: x, cy: y, r: 9 }),
        svg('text', { x, y: y + 27 }, point.isHead ? 'head' : (point.kept ?? time.toLocaleTimeString())),
        svg('text', { class: 'faint', x, y: y + 42 }, point.bytes === null ? '' : bytes(point.bytes)),
      ),
    )
  }
  return box
}
