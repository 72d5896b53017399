/** The projects of the host as a table, what wants to be looked at first; and what was done with them lately. */
import { bytes, duration, element, link, moment, numberOf, table } from './elements.js'

const FILTERS = {
  all: ['All', () => true],
  'not-saved': ['Not saved yet', ({ atRisk }) => atRisk],
  open: ['Open', ({ mounted }) => mounted],
  moving: ['Moving', ({ doing }) => doing],
  failing: ['Failing', ({ failedSaves }) => failedSaves > 0],
  largest: ['By size', () => true],
}
const MOST = 500

const rank = (one) => (one.failedSaves > 0 ? 0 : one.atRisk ? 1 : one.doing ? 2 : one.mounted ? 3 : 4)

const byNeed = (a, b) =>
  rank(a) - rank(b) || (rank(a) < 2 ? b.unsavedMs - a.unsavedMs : 0) || (a.id < b.id ? -1 : 1)

const bySize = (a, b) => Number(b.usedBytes) - Number(a.usedBytes)

const tag = (text, tone = '') => element('span', { class: `tag ${tone}` }, text)

export function stateTags({ atRisk, failedSaves, doing, mounted }) {
  const tags = []
  if (failedSaves > 0) tags.push(tag('save failing', 'bad'))
  else if (atRisk) tags.push(tag('not saved yet', 'warn'))
  if (doing) tags.push(tag(doing.what))
  if (tags.length === 0) tags.push(mounted ? tag('open', 'good') : tag('in the pool'))
  return tags
}

/** How far it is, where an operation tells; else for how long it has gone on. */
export function progress({ doing, moving }) {
  if (!moving) return doing ? duration(doing.forMs) : ''
  const { step, doneBytes, totalBytes, bytesPerSecond, leftMs } = moving
  const parts = [
    step,
    doneBytes === null
      ? null
      : totalBytes === null
        ? bytes(doneBytes)
        : `${bytes(doneBytes)} of ${bytes(totalBytes)}`,
    bytesPerSecond > 0 ? `${bytes(bytesPerSecond)}/s` : null,
    leftMs === null ? null : `${duration(leftMs)} left`,
  ].filter(Boolean)
  const bar =
    totalBytes > 0 ? element('progress', { value: Number(doneBytes), max: Number(totalBytes) }) : null
  return [parts.join(', '), bar]
}

export const savedUpTo = ({ unsavedMs }) => (unsavedMs === null ? 'all of it' : `${duration(unsavedMs)} ago`)

export function projectTable(projects, filter) {
  const [, wanted] = FILTERS[filter] ?? FILTERS.all
  const shown = projects.filter(wanted).sort(filter === 'largest' ? bySize : byNeed)
  const choices = Object.entries(FILTERS).map(([name, [label, test]]) =>
    element(
      'a',
      { href: `#/projects/${name}`, 'aria-current': name === filter ? 'true' : null },
      name === 'largest' ? label : `${label} ${projects.filter(test).length}`,
    ),
  )
  const rows = shown.slice(0, MOST).map((one) => ({
    cells: [
      link(one.id),
      stateTags(one),
      numberOf(one.id, bytes(one.usedBytes)),
      numberOf(one.id, savedUpTo(one)),
      numberOf(one.id, one.idleMs === null ? '' : duration(one.idleMs)),
      progress(one),
    ],
    below: one.lastError,
  }))
  const titles = [
    ['Project', 'name'],
    ['State'],
    ['Size', 'num'],
    ['Saved up to', 'num'],
    ['Unused for', 'num'],
    ['', 'wide'],
  ]
  return element(
    'section',
    { class: 'card', id: 'projects' },
    element('nav', { class: 'filter', 'aria-label': 'Which projects' }, choices),
    table(titles, rows, 'No project is like that now.'),
    shown.length > MOST
      ? element('p', { class: 'more' }, `and ${shown.length - MOST} more: tidepool ls has them all`)
      : null,
  )
}

export const lately = (acts) =>
  table(
    [['When'], ['What'], ['Project', 'name'], ['Took', 'num'], ['Bytes', 'num'], ['', 'wide']],
    acts.map(({ atMs, what, id, tookMs, bytes: moved, error, why, result }) => ({
      cells: [
        moment(atMs),
        error ? tag(`${what} failed`, 'bad') : what,
        link(id),
        numberOf(id, duration(tookMs)),
        numberOf(id, moved === undefined ? '' : bytes(moved)),
        why ?? result,
      ],
      below: error,
    })),
    'Nothing was done yet.',
  )
