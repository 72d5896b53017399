/** The status page: what the daemon pushes is drawn anew each time; where one is stands behind the `#` of the address. */
import { bytes, duration, element, graph, plot } from './plots.js'

const content = document.getElementById('content')
const state = document.getElementById('state')
let now
let samples = []
let project

const FILTERS = {
  all: ['All', () => true],
  'not-saved': ['Not saved yet', ({ atRisk }) => atRisk],
  open: ['Open', ({ mounted }) => mounted],
  moving: ['Moving', ({ doing }) => doing],
  failing: ['Failing', ({ failedSaves }) => failedSaves > 0],
}

const link = (id) => element('a', { href: `#/project/${encodeURIComponent(id)}` }, id)

function tile(label, value, more, { filter = 'all', tone = '' } = {}) {
  const parts = [
    ['label', label],
    ['value', value],
    ['more', more],
  ].map(([name, text]) => element('div', { class: name }, text))
  return element(
    'a',
    { class: `card ${tone && `tile-${tone}`}`, href: `#/projects/${filter}`, 'data-tile': label },
    parts,
  )
}

function tiles({ unsaved, projects, status, limiter }) {
  const moving = projects.filter(({ doing }) => doing)
  const used = Number(status.pool.usedBytes)
  const total = used + Number(status.pool.availableBytes)
  const failing = status.failingSaves.length
  const unsavedMore =
    unsaved.count === 0
      ? 'the store has all that is known of'
      : `${unsaved.bytes === null ? '' : `${bytes(unsaved.bytes)}, `}oldest ${duration(unsaved.oldestMs)}`
  return element('div', { class: 'tiles' }, [
    tile(
      'Not saved yet',
      String(unsaved.count),
      failing ? `${failing} failing: ${unsavedMore}` : unsavedMore,
      {
        filter: 'not-saved',
        tone: failing ? 'bad' : unsaved.count ? 'warn' : 'good',
      },
    ),
    tile('Open', String(status.mounted), `${status.resident} in the pool`, { filter: 'open' }),
    tile('Moving', String(moving.length), `${limiter.inFlight} pieces in flight, limit ${limiter.limit}`, {
      filter: 'moving',
    }),
    tile(
      'Pool',
      `${total ? Math.round((used / total) * 100) : 0} %`,
      `${bytes(used)} of ${bytes(total)}, ${status.pool.health}`,
      {
        tone: status.pool.health === 'ONLINE' ? '' : 'bad',
      },
    ),
  ])
}

function figure(label, value, drawing) {
  return element(
    'section',
    { class: 'card' },
    element('h2', {}, label),
    element('div', { class: 'more' }, value),
    drawing,
  )
}

function plots() {
  const last = samples.at(-1)
  if (!last) return element('div', { class: 'plots' })
  const rates = samples.slice(1).map((one, at) => {
    const before = samples[at]
    const moved = one.savedBytes - before.savedBytes + one.receivedBytes - before.receivedBytes
    return [one.atMs, moved / ((one.atMs - before.atMs) / 1000)]
  })
  const opens = samples.map(({ atMs, openMs }) => [atMs, openMs])
  const latestOpen = opens.findLast(([, ms]) => ms !== null)
  return element('div', { class: 'plots' }, [
    figure(
      'Throughput',
      `${bytes(rates.at(-1)?.[1] ?? 0)}/s to and from the store`,
      plot('Throughput', rates),
    ),
    figure(
      'Opens',
      latestOpen ? `the latest took ${duration(latestOpen[1])}` : 'none in this hour',
      plot('Open times', opens, { dots: true }),
    ),
    figure(
      'Pool space',
      `${bytes(last.poolUsedBytes)} used`,
      plot(
        'Pool space',
        samples.map((one) => [one.atMs, one.poolUsedBytes]),
        { max: last.poolTotalBytes },
      ),
    ),
  ])
}

function stateTag({ atRisk, failedSaves, doing, mounted }) {
  if (failedSaves > 0) return element('span', { class: 'tag bad' }, 'save failing')
  if (doing) return element('span', { class: 'tag' }, doing.what)
  if (atRisk) return element('span', { class: 'tag warn' }, 'not saved yet')
  return mounted
    ? element('span', { class: 'tag good' }, 'open')
    : element('span', { class: 'tag' }, 'in the pool')
}

function table(titles, rows, empty) {
  if (rows.length === 0) return element('p', { class: 'more' }, empty)
  const head = titles.map(([title, name]) => element('th', { class: name, scope: 'col' }, title))
  const body = rows.map((cells) =>
    element(
      'tr',
      {},
      cells.map((cell, at) => element('td', { class: titles[at][1] }, cell ?? '')),
    ),
  )
  return element(
    'div',
    { class: 'scroll' },
    element('table', {}, element('thead', {}, element('tr', {}, head)), element('tbody', {}, body)),
  )
}

function projectTable(filter) {
  const [, wanted] = FILTERS[filter] ?? FILTERS.all
  const rank = (one) => (one.failedSaves > 0 ? 0 : one.atRisk ? 1 : one.doing ? 2 : one.mounted ? 3 : 4)
  const shown = now.projects.filter(wanted).sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1))
  const choices = Object.entries(FILTERS).map(([name, [label, test]]) =>
    element(
      'a',
      { href: `#/projects/${name}`, 'aria-current': name === filter ? 'true' : null },
      `${label} ${now.projects.filter(test).length}`,
    ),
  )
  const rows = shown
    .slice(0, 500)
    .map((one) => [
      link(one.id),
      stateTag(one),
      bytes(one.usedBytes),
      one.unsavedMs === null ? 'all of it' : `${duration(one.unsavedMs)} ago`,
      one.idleMs === null ? '' : duration(one.idleMs),
      one.lastError,
    ])
  const titles = [
    ['Project'],
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
    shown.length > 500
      ? element('p', { class: 'more' }, `and ${shown.length - 500} more: tidepool ls has them all`)
      : null,
  )
}

const lately = (acts) =>
  table(
    [['When'], ['What'], ['Project'], ['Took', 'num'], ['Bytes', 'num'], ['', 'wide']],
    acts.map(({ atMs, what, id, tookMs, bytes: moved, error, why, result }) => [
      new Date(atMs).toLocaleTimeString(),
      what,
      link(id),
      duration(tookMs),
      moved === undefined ? '' : bytes(moved),
      error ?? why ?? result,
    ]),
    'Nothing was done yet.',
  )

function home(filter) {
  const { status } = now
  const { name, dataset, store, zfs, upMs } = status
  const facts = [
    ['Host', name],
    ['Up', duration(upMs)],
    ['Dataset', dataset],
    ['Store', store],
    ['ZFS', zfs],
  ]
  return [
    status.mayAct
      ? null
      : element('section', { class: 'card banner', role: 'alert' }, `This host may not act: ${status.why}`),
    tiles(now),
    projectTable(filter),
    plots(),
    element('section', { class: 'card' }, element('h2', {}, 'Lately'), lately(now.lately.slice(0, 10))),
    element(
      'section',
      { class: 'card' },
      element('h2', {}, 'This host'),
      element(
        'dl',
        {},
        facts.map(([term, text]) => [element('dt', {}, term), element('dd', {}, text)]),
      ),
    ),
  ]
}

function projectPage(id) {
  const here = now.projects.find((one) => one.id === id)
  const facts = here
    ? [
        ['State', stateTag(here)],
        ['Size here', bytes(here.usedBytes)],
        ['Saved up to', here.unsavedMs === null ? 'all of it' : `${duration(here.unsavedMs)} ago`],
        ['Last error', here.lastError],
      ]
    : [['State', 'not in this pool']]
  if (project?.id === id && project.owner !== undefined)
    facts.push(
      ['Owner', project.owner ?? 'nobody'],
      ['Quota', project.quotaBytes === null ? 'none' : bytes(project.quotaBytes)],
      ...Object.entries(project.properties).map(([name, value]) => [name, value]),
    )
  const known = facts.filter(([, text]) => text !== null && text !== undefined)
  const drawn =
    project?.id === id
      ? (project.error ??
        element(
          'div',
          { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': 'Points' },
          graph(project.streams),
        ))
      : 'reading'
  return [
    element('p', {}, element('a', { href: '#/' }, '← all projects')),
    element('h1', {}, id),
    element(
      'section',
      { class: 'card' },
      element(
        'dl',
        {},
        known.map(([term, text]) => [element('dt', {}, term), element('dd', {}, text)]),
      ),
    ),
    element(
      'section',
      { class: 'card' },
      element(
        'h2',
        {},
        'Points, oldest first; dashed ones beside the line are kept until somebody has seen them',
      ),
      drawn,
    ),
    element(
      'section',
      { class: 'card' },
      element('h2', {}, 'Lately'),
      lately(now.lately.filter((act) => act.id === id)),
    ),
  ]
}

const asked = async (path) => {
  const response = await fetch(path)
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error?.message ?? response.statusText)
  return answer
}

async function readProject(id) {
  const path = `/v1/projects/${encodeURIComponent(id)}`
  try {
    const [about, points] = await Promise.all([asked(path), asked(`${path}/graph`)])
    project = { ...about, ...points }
  } catch (error) {
    project = { id, error: error.message, properties: {} }
  }
}

function place() {
  const [, kind, rest = ''] = /^#\/(project|projects)\/(.*)$/.exec(location.hash) ?? []
  try {
    return [kind, decodeURIComponent(rest)]
  } catch {
    return []
  }
}

function draw() {
  if (!now) return
  const [kind, what] = place()
  const focused = document.activeElement?.getAttribute('href')
  const left = content.querySelector('.graph')?.parentElement?.scrollLeft
  content.replaceChildren(
    ...(kind === 'project' ? projectPage(what) : home(kind ? what : 'all')).filter(Boolean),
  )
  // Whoever goes by the keyboard stays where they are.
  if (focused)
    [...content.querySelectorAll('a')]
      .find((one) => one.getAttribute('href') === focused)
      ?.focus({ preventScroll: true })
  if (left) content.querySelector('.graph').parentElement.scrollLeft = left
}

async function refresh() {
  const [kind, what] = place()
  await Promise.all([
    kind === 'project' ? readProject(what) : undefined,
    asked('/v1/recent').then(
      (answer) => {
        samples = answer.samples
      },
      () => {},
    ),
  ])
  draw()
}

function tell(text, is) {
  state.textContent = text
  state.dataset.is = is
}

const live = new EventSource('/v1/live')
live.addEventListener('error', () => tell('not connected', 'bad'))
live.addEventListener('message', ({ data }) => {
  const view = JSON.parse(data)
  if (view.error) return tell(view.error.message, 'bad')
  now = view
  document.getElementById('host').textContent = view.status.name
  document.title = view.unsaved.count ? `(${view.unsaved.count}) Tidepool` : 'Tidepool'
  tell(view.status.mayAct ? 'live' : 'may not act', view.status.mayAct ? 'live' : 'bad')
  draw()
})
addEventListener('hashchange', () => {
  content.focus({ preventScroll: true })
  refresh()
})
setInterval(refresh, 5000)
refresh()
