/** Small plots over the last hour. */
import { element, projectAt, svg } from './elements.js'

const WIDTH = 300
const HEIGHT = 80

/**
 * `points`: `{ at, value, id }`, with a value of null for a gap. A line, or `dots` where each stands alone, which leads to
 * its project. `say` puts a value in words.
 */
export function plot(label, points, { dots = false, max, say }) {
  const known = points.filter(({ value }) => value !== null)
  const [first, last] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 1]
  const most = Math.max(0, ...known.map(({ value }) => value))
  const top = max || most * 1.15 || 1
  const x = (at) => (last === first ? WIDTH : ((at - first) / (last - first)) * WIDTH)
  const y = (value) => HEIGHT - (value / top) * HEIGHT
  const box = svg('svg', {
    class: 'plot',
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: dots ? 'xMidYMid meet' : 'none',
    role: 'img',
    'aria-label': `${label}: at most ${say(most)}`,
  })
  box.append(svg('line', { class: 'floor', x1: 0, y1: HEIGHT, x2: WIDTH, y2: HEIGHT }))
  if (dots)
    for (const { at, value, id } of known)
      box.append(
        svg(
          'a',
          { href: projectAt(id) },
          svg('circle', { class: 'dot', cx: x(at), cy: y(value), r: 3.5 }),
          svg('title', {}, `${id}: ${say(value)}`),
        ),
      )
  else if (known.length > 1) {
    const line = known.map(({ at, value }) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
    const ends = [known[0], known.at(-1)].map(({ at }) => `${x(at)},${HEIGHT}`)
    box.append(
      svg('polygon', { class: 'area', points: `${ends[0]} ${line} ${ends[1]}` }),
      svg('polyline', { class: 'curve', points: line }),
    )
  }
  const minutes = Math.round((last - first) / 60_000)
  const scale = [minutes > 0 ? `${minutes} min ago` : 'a moment ago', `at most ${say(most)}`, 'now']
  return [
    box,
    element(
      'div',
      { class: 'scale' },
      scale.map((text) => element('span', {}, text)),
    ),
  ]
}
