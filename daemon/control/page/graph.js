/** Draws the points of a project: in the order of time, side points on a line of their own, each stream an arc from where it begins. */
import { briefMoment, bytes, moment, svg } from './elements.js'

const STEP = 104
const LINE_Y = 70
const SIDE_Y = 150
const UNDER = 56

export function graph(streams) {
  const points = []
  for (const stream of streams) if (!points.some(({ to }) => to === stream.to)) points.push(stream)
  const isSide = ({ kept, isHead }) => kept && !isHead
  const place = new Map(
    points.map((point, at) => [point.to, { x: 110 + at * STEP, y: isSide(point) ? SIDE_Y : LINE_Y }]),
  )
  const start = { x: 24, y: LINE_Y }
  const box = svg('svg', {
    class: 'graph',
    width: 180 + points.length * STEP,
    height: (points.some(isSide) ? SIDE_Y : LINE_Y) + UNDER,
    role: 'img',
    'aria-label': `${points.length} points`,
  })
  box.append(
    svg('circle', { cx: start.x, cy: start.y, r: 4 }),
    svg('text', { class: 'faint', x: start.x, y: LINE_Y + 26 }, 'nothing'),
  )
  for (const { from, to, bytes: size } of streams) {
    const a = place.get(from) ?? start
    const b = place.get(to)
    const lift = a.y === b.y ? a.y - Math.min(56, (b.x - a.x) / 5) : (a.y + b.y) / 2
    const d = `M${a.x},${a.y} Q${(a.x + b.x) / 2},${lift} ${b.x},${b.y}`
    box.prepend(svg('path', { class: 'edge', d }, svg('title', {}, size === null ? '' : bytes(size))))
  }
  for (const point of points) {
    const { x, y } = place.get(point.to)
    const kind = point.isHead ? 'point head' : isSide(point) ? 'point side' : 'point'
    const name = point.isHead ? 'head, ' : isSide(point) ? `${point.kept}, ` : ''
    box.append(
      svg(
        'g',
        { class: kind, 'data-point': point.to },
        svg('title', {}, `${name}${moment(point.atMs)}, point ${point.to}`),
        svg('circle', { cx: x, cy: y, r: 9 }),
        svg(
          'text',
          { x, y: y + 26 },
          point.isHead ? 'head' : isSide(point) ? point.kept : briefMoment(point.atMs),
        ),
        svg('text', { class: 'faint', x, y: y + 41 }, point.bytes === null ? '' : bytes(point.bytes)),
      ),
    )
  }
  return box
}
