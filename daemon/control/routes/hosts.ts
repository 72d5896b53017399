/** The hosts that share the store, and what a person says of one that is silent. */
import { z } from 'zod'
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { hostId } from '../../../pipeline/base/ids.ts'
import type { HostRow } from '../../../pipeline/hosts/state.ts'
import { markDead } from '../../../pipeline/hosts/take.ts'
import type { Engine } from '../../projects/engine.ts'
import { anId, checked, nothing, type Route, route } from '../route.ts'
import { utc } from '../views.ts'

export const hostsRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/projects/{id}/place',
    about: 'On which host it is best opened, and about how long that would take on this one',
    needs: 'read',
    params: anId,
    body: nothing,
    run: ({ daemon: { engine }, params: { id }, signal }) => engine.place(id, { signal }),
  }),
  route({
    method: 'GET',
    path: '/v1/hosts',
    about: 'The hosts that share the store; `silentMs` is how long this one has watched another stand still',
    needs: 'read',
    params: z.object({}),
    body: nothing,
    run: async ({ daemon: { engine }, signal }) => {
      const hosts = []
      for await (const row of engine.host.store.catalogue.hosts({ signal })) hosts.push(hostView(engine, row))
      return { hosts }
    },
  }),
  route({
    method: 'POST',
    path: '/v1/hosts/{host}/dead',
    about: 'Say that a host that looks dead is off for good: its projects go to whoever opens them',
    needs: 'admin',
    verb: 'host-dead',
    audit: 'noted',
    params: z.strictObject({ host: checked(hostId, 'host id') }),
    body: nothing,
    run: async ({ daemon: { engine }, params: { host }, signal }) => {
      const { store, deathWatch } = engine.host
      const row = await store.catalogue.readHost(host, { signal })
      if (!row)
        throw new TidepoolError('host-unknown', `no host of this store has the id ${host}`, {
          hint: '`tidepool host ls` lists them.',
        })
      if (row.state === 'live' && !deathWatch.looksDead(row))
        throw new TidepoolError('host-live', `host ${host} (${row.name}) does not look dead from here`, {
          hint: 'It has to stand still for 5 minutes while this host watches; a host that is stopped lets go of its projects itself.',
        })
      if (row.state === 'live') await markDead(store.catalogue, row, { signal })
      return hostView(engine, (await store.catalogue.readHost(host, { signal })) ?? row)
    },
  }),
]

const hostView = ({ host: { host, deathWatch } }: Engine, row: HostRow) => ({
  host: row.host,
  name: row.name,
  state: row.state,
  isThis: row.host === host,
  looksDead: row.host !== host && row.state === 'live' && deathWatch.looksDead(row),
  silentMs: row.host === host ? 0 : Math.round(deathWatch.stoodStillMs(row)),
  changedAt: utc(row.changedAtMs),
})
