/** Makes elements, of which nothing is ever read as markup, and says sizes and times in words. */
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

export const projectAt = (id) => `#/project/${encodeURIComponent(id)}`

export const link = (id, text = id) => element('a', { href: projectAt(id), title: id }, text)

/** A number leads to its project too; the keyboard has the name before it. */
export const numberOf = (id, text) =>
  text === '' ? '' : element('a', { class: 'plain', href: projectAt(id), tabindex: '-1' }, text)

export const card = (title, ...children) =>
  element('section', { class: 'card' }, title && element('h2', {}, title), ...children)

/** Pairs of a term and what it is; those of which nothing is known are left out. */
export const facts = (pairs) =>
  element(
    'dl',
    {},
    pairs
      .filter(([, text]) => text !== null && text !== undefined && text !== '')
      .map(([term, text]) => [element('dt', {}, term), element('dd', {}, text)]),
  )

/** `titles`: pairs of a title and a class. A row may have a line of its own below it: `below`. */
export function table(titles, rows, empty) {
  if (rows.length === 0) return element('p', { class: 'more' }, empty)
  const head = titles.map(([title, name]) => element('th', { class: name, scope: 'col' }, title))
  const body = rows.map(({ cells, below }) => [
    element(
      'tr',
      { class: below ? 'has-below' : null },
      cells.map((cell, at) => element('td', { class: titles[at][1] }, cell ?? '')),
    ),
    below
      ? element(
          'tr',
          { class: 'below' },
          element('td', { colspan: titles.length }, element('div', {}, below)),
        )
      : null,
  ])
  return element(
    'div',
    { class: 'scroll' },
    element('table', {}, element('thead', {}, element('tr', {}, head)), element('tbody', {}, body)),
  )
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

/** Local, with what it is ahead of UTC: `+02:00`. */
function offset(then) {
  const minutes = -then.getTimezoneOffset()
  const two = (value) => String(Math.trunc(value)).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`
}

const clock = (then) =>
  then.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false })

const isToday = (then) => then.toDateString() === new Date().toDateString()

/** Of today the time alone. */
export function moment(ms) {
  const then = new Date(ms)
  const time = `${clock(then)} ${offset(then)}`
  return isToday(then) ? time : `${then.toLocaleDateString()} ${time}`
}

/** Where there is little room, and the whole moment stands beside it. */
export function briefMoment(ms) {
  const then = new Date(ms)
  return isToday(then) ? clock(then) : `${then.toLocaleDateString()} ${clock(then)}`
}
