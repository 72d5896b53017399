/** The page of one project: how it is here, and the graph of its points. */
import { bytes, card, duration, element, facts } from './elements.js'
import { graph } from './graph.js'
import { lately, progress, savedUpTo, stateTags } from './projects.js'

const WHY = {
  'in-use': 'somebody is in it',
  pinned: 'it is pinned',
  'used-lately': 'it was used lately',
  'not-needed': 'nothing needs its room',
}

function ownerOf({ owner, ownerName }, { host }) {
  if (owner === null) return 'nobody'
  return owner === host ? 'this host' : `host ${ownerName ?? owner}`
}

function known(told, { status }) {
  if (told?.owner === undefined) return []
  return [
    ['Owner', ownerOf(told, status)],
    ['Quota', told.quotaBytes === null ? 'none' : bytes(told.quotaBytes)],
    ...(told.here?.holders ?? []).map(({ pid, command, path }) => [
      'Held by',
      `${command} (${pid}) with ${path}`,
    ]),
    ...Object.entries(told.properties),
  ]
}

/** `told`: what was asked of this project alone; undefined until there is an answer. */
export function projectPage(id, now, told) {
  const here = now.projects.find((one) => one.id === id)
  const there = here
    ? [
        ['State', stateTags(here)],
        ['Just now', progress(here)],
        ['Size here', bytes(here.usedBytes)],
        ['Saved up to', savedUpTo(here)],
        ['Next save', here.nextSaveInMs === null ? null : `in ${duration(here.nextSaveInMs)}`],
        ['Stays because', WHY[here.staysBecause] ?? here.staysBecause],
        ['Last error', here.lastError],
      ]
    : [['State', 'not in this pool']]
  const points = told?.streams
    ? element(
        'div',
        { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': 'Points' },
        graph(told.streams),
      )
    : element('p', { class: 'more' }, told?.error ?? 'reading')
  const acts = now.lately.filter((act) => act.id === id)
  const title = 'Points, oldest first; dashed ones beside the line are kept until somebody has seen them'
  return [
    element('p', {}, element('a', { href: '#/' }, '← all projects')),
    element('h1', {}, id),
    card('', facts([...there, ...known(told, now)])),
    card(title, points),
    card('Lately', lately(acts)),
  ]
}
