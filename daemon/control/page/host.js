/** The page of the host: the numbers that matter most, its projects, and its last hour. */
import { bytes, card, duration, element, facts, link } from './elements.js'
import { plot } from './plots.js'
import { lately, projectTable } from './projects.js'

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
  const { inFlight, waiting, limit } = limiter
  return element('div', { class: 'tiles' }, [
    tile(
      'Not saved yet',
      String(unsaved.count),
      failing ? `${failing} failing: ${unsavedMore}` : unsavedMore,
      {
        filter: failing ? 'failing' : 'not-saved',
        tone: failing ? 'bad' : unsaved.count ? 'warn' : 'good',
      },
    ),
    tile('Open', String(status.mounted), `${status.resident} in the pool`, { filter: 'open' }),
    tile(
      'Moving',
      String(moving.length),
      `chunks: ${inFlight} in flight, ${waiting} waiting, limit ${limit}`,
      {
        filter: 'moving',
      },
    ),
    tile(
      'Pool',
      `${total ? Math.round((used / total) * 100) : 0} %`,
      `${bytes(used)} of ${bytes(total)}, ${status.pool.health}`,
      { filter: 'largest', tone: status.pool.health === 'ONLINE' ? '' : 'bad' },
    ),
  ])
}

function plots(samples) {
  const last = samples.at(-1)
  if (!last) return element('div', { class: 'plots' })
  const rates = samples.slice(1).map((one, at) => {
    const before = samples[at]
    const moved = one.savedBytes - before.savedBytes + one.receivedBytes - before.receivedBytes
    return { at: one.atMs, value: moved / ((one.atMs - before.atMs) / 1000) }
  })
  const opens = samples.map(({ atMs, open }) => ({ at: atMs, value: open?.ms ?? null, id: open?.id }))
  const latest = opens.findLast(({ value }) => value !== null)
  const space = samples.map((one) => ({ at: one.atMs, value: one.poolUsedBytes }))
  const perSecond = (value) => `${bytes(value)}/s`
  const toMoving = element(
    'a',
    { class: 'plain', href: '#/projects/moving' },
    perSecond(rates.at(-1)?.value ?? 0),
  )
  const toLargest = element('a', { class: 'plain', href: '#/projects/largest' }, bytes(last.poolUsedBytes))
  const figure = (title, words, ...drawing) => card(title, element('div', { class: 'more' }, words), drawing)
  return element('div', { class: 'plots' }, [
    figure('Throughput', [toMoving, ' to and from the store'], plot('Throughput', rates, { say: perSecond })),
    figure(
      'Open times',
      latest ? ['the latest took ', link(latest.id, duration(latest.value))] : 'none was opened',
      plot('Open times', opens, { dots: true, say: duration }),
    ),
    figure(
      'Pool space',
      [toLargest, ` of ${bytes(last.poolTotalBytes)} used`],
      plot('Pool space', space, { max: last.poolTotalBytes, say: bytes }),
    ),
  ])
}

export function hostPage(now, samples, filter) {
  const { name, dataset, store, zfs, upMs, mayAct, why } = now.status
  return [
    mayAct
      ? null
      : element('section', { class: 'card banner', role: 'alert' }, `This host may not act: ${why}`),
    tiles(now),
    projectTable(now.projects, filter),
    plots(samples),
    card('Lately', lately(now.lately.slice(0, 10))),
    card(
      'This host',
      facts([
        ['Host', name],
        ['Up', duration(upMs)],
        ['Dataset', dataset],
        ['Store', store],
        ['ZFS', zfs],
      ]),
    ),
  ]
}
