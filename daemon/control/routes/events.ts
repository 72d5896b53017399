/** What happens on this host, as it happens. */
import { z } from 'zod'
import type { HostEvent } from '../../events/event.ts'
import { EventStream, type Frame } from '../event-stream.ts'
import { nothing, type Route, route } from '../route.ts'

const none = z.object({})

export const eventRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/events',
    about:
      'What happens from now on; with Last-Event-ID, what came after that, `gap` where it is not known any more',
    needs: 'read',
    answers: 'text/event-stream',
    params: none,
    body: nothing,
    run: async ({ daemon, lastEventId }) =>
      new EventStream((signal) => frames(daemon.journal.events.follow(lastEventId, signal))),
  }),
  route({
    method: 'GET',
    path: '/v1/events/recent',
    about: 'What happened last, oldest first; the id of the last one is where to follow from',
    needs: 'read',
    params: none,
    body: nothing,
    run: async ({ daemon }) => ({ events: daemon.journal.events.recent.map(eventView) }),
  }),
]

const eventView = ({ id, atMs, kind, project, facts }: HostEvent) => ({
  id,
  at: new Date(atMs).toISOString(),
  kind,
  project,
  ...facts,
})

async function* frames(events: AsyncIterable<HostEvent>): AsyncGenerator<Frame> {
  for await (const event of events) yield { id: event.id, event: event.kind, data: eventView(event) }
}
