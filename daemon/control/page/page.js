/** The status page: what the daemon pushes is drawn anew each time; where one is stands behind the `#` of the address. */
import { hostPage } from './host.js'
import { projectPage } from './project.js'

const content = document.getElementById('content')
const state = document.getElementById('state')
const EVERY_MS = 5000
const OUTDATED = 'This page is of an earlier start: open what tidepool status --web prints'
let now
let samples = []
let project

async function asked(path) {
  const response = await fetch(path)
  if (response.status === 401) throw new Error(OUTDATED)
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
    project = { id, error: error.message }
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
  const left = [...content.querySelectorAll('.scroll')].map(({ scrollLeft }) => scrollLeft)
  const drawn =
    kind === 'project'
      ? projectPage(what, now, project?.id === what ? project : undefined)
      : hostPage(now, samples, kind ? what : 'all')
  content.replaceChildren(...drawn.filter(Boolean))
  // Whoever goes by the keyboard stays where they are, and whoever has scrolled sideways too.
  if (focused)
    [...content.querySelectorAll('a')]
      .find((one) => one.getAttribute('href') === focused)
      ?.focus({ preventScroll: true })
  content.querySelectorAll('.scroll').forEach((one, at) => {
    one.scrollLeft = left[at] ?? 0
  })
}

async function refresh() {
  const [kind, what] = place()
  const reading = kind === 'project' ? readProject(what) : undefined
  try {
    samples = (await asked('/v1/recent')).samples
  } catch (error) {
    if (error.message === OUTDATED) tell(OUTDATED, 'bad')
  }
  await reading
  draw()
}

function tell(text, is) {
  state.textContent = text
  state.dataset.is = is
}

function listen() {
  const live = new EventSource('/v1/live')
  live.addEventListener('error', () => {
    tell('not connected', 'bad')
    // After an answer that is no stream a browser does not try again by itself.
    if (live.readyState === EventSource.CLOSED) setTimeout(listen, EVERY_MS)
  })
  live.addEventListener('message', ({ data }) => {
    const view = JSON.parse(data)
    if (view.error) return tell(view.error.message, 'bad')
    now = view
    document.getElementById('host').textContent = view.status.name
    document.title = view.unsaved.count ? `(${view.unsaved.count}) Tidepool` : 'Tidepool'
    tell(view.status.mayAct ? 'live' : 'may not act', view.status.mayAct ? 'live' : 'bad')
    draw()
  })
}

addEventListener('hashchange', () => {
  content.focus({ preventScroll: true })
  refresh()
})
setInterval(refresh, EVERY_MS)
refresh()
listen()
