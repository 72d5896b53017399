/** A project as a whole: made, opened, saved, closed, taken away. Each verb may be called twice: the second call finds it done. */
import { z } from 'zod'
import { holders } from '../../../native/mount/holders.ts'
import { hostId } from '../../../pipeline/base/ids.ts'
import { readProject } from '../../../pipeline/graph/settle.ts'
import { undelete } from '../../projects/destroy.ts'
import { mountPointOf } from '../../projects/mount-point.ts'
import { anId, bytesCount, nothing, type Route, route } from '../route.ts'
import { hereView, projectView, usageView } from '../views.ts'

const none = z.object({})

export const projectRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/projects',
    about: 'The projects that are in this pool',
    needs: 'read',
    params: none,
    body: nothing,
    run: async ({ daemon: { engine } }) => ({
      projects: (await engine.residents()).map(({ id, mounted }) => ({
        id,
        mounted,
        ...hereView(engine, id),
      })),
    }),
  }),
  route({
    method: 'POST',
    path: '/v1/projects',
    about: 'Make a project and open it here',
    needs: 'operate',
    verb: 'create',
    long: true,
    audit: 'noted',
    params: none,
    body: z.strictObject({
      id: anId.shape.id,
      quotaBytes: bytesCount.optional(),
      owner: z.strictObject({ uid: z.int(), gid: z.int() }).optional(),
      properties: z.record(z.string(), z.string()).optional(),
    }),
    run: async ({
      daemon,
      body: { id, quotaBytes, owner, properties },
      signal,
      onProgress,
      again = false,
    }) => {
      const set = {
        ...(quotaBytes !== undefined && { quotaBytes }),
        ...(owner && { owner }),
        ...(properties && { properties }),
      }
      const { path, project } = await daemon.engine.create(id, { ...set, again, signal, onProgress })
      // Somebody may have touched it before it was there.
      daemon.opens.forget(id)
      return { ...projectView(project), path: daemon.pathOf(id), realPath: path }
    },
  }),
  route({
    method: 'GET',
    path: '/v1/projects/{id}',
    about: 'What the store and this host know of a project',
    needs: 'read',
    owner: true,
    params: anId,
    body: nothing,
    run: async ({ daemon: { engine }, params: { id }, signal }) => {
      const { catalogue } = engine.host.store
      const project = await readProject(catalogue, id, { signal })
      const { owner } = project.statics
      const row = owner === null ? undefined : await catalogue.readHost(hostId(owner), { signal })
      const here = hereView(engine, id)
      // What the last look saw of one that has left since is no reason any more.
      const isOurs = owner === engine.host.host
      return {
        ...projectView(project),
        ownerName: row?.name ?? null,
        usage: usageView(project),
        here: {
          ...here,
          ...(isOurs ? {} : { staysBecause: null, mountedBecause: null }),
          holders: await holders(mountPointOf(engine.host, id)),
        },
      }
    },
  }),
  route({
    method: 'POST',
    path: '/v1/projects/{id}/open',
    about: 'Own it, receive what the pool lacks of it, mount it',
    needs: 'operate',
    owner: true,
    verb: 'open',
    long: true,
    audit: 'noted',
    params: anId,
    body: nothing,
    run: async ({ daemon, params: { id }, signal, onProgress }) => {
      const { path, project, receivedStreams, receivedBytes, fellBack, setAside } = await daemon.engine.open(
        id,
        { signal, onProgress },
      )
      // What a touch was refused for a moment ago is over.
      daemon.opens.forget(id)
      const notes = [
        ...fellBack.map(({ from, to, why }) => `point ${from} could not be received, this is ${to}: ${why}`),
        ...setAside.map(({ name, why }) => `${name} was set aside: ${why}`),
      ]
      const received = { receivedStreams, receivedBytes }
      return { ...projectView(project), path: daemon.pathOf(id), realPath: path, ...received, notes }
    },
  }),
  route({
    method: 'POST',
    path: '/v1/projects/{id}/save',
    about: 'Send to the store what it has not',
    needs: 'operate',
    owner: true,
    verb: 'save',
    long: true,
    params: anId,
    body: nothing,
    run: async ({ daemon, params: { id }, signal, onProgress }) => {
      const saved = await daemon.engine.save(id, { signal, onProgress })
      const bytes = saved.kind === 'saved' ? { bytes: saved.bytes, placement: saved.placement } : {}
      return { ...projectView(saved.project), kind: saved.kind, point: saved.point, ...bytes }
    },
  }),
  route({
    method: 'POST',
    path: '/v1/projects/{id}/close',
    about: 'Save it, unmount it, release it',
    needs: 'operate',
    owner: true,
    verb: 'close',
    long: true,
    params: anId,
    body: nothing,
    run: async ({ daemon, params: { id }, signal, onProgress }) =>
      projectView((await daemon.engine.close(id, { signal, onProgress })).project),
  }),
  route({
    method: 'POST',
    path: '/v1/projects/{id}/evict',
    about: 'Close it, and take it out of the pool once the store is proven to hold it',
    needs: 'operate',
    verb: 'evict',
    long: true,
    audit: 'noted',
    params: anId,
    body: nothing,
    run: async ({ daemon, params: { id }, signal, onProgress }) => {
      const { project, freedBytes, point } = await daemon.engine.evict(id, { signal, onProgress })
      return { ...projectView(project), point, freedBytes }
    },
  }),
  route({
    method: 'POST',
    path: '/v1/projects/{id}/destroy',
    about: 'Nobody can open it any more; an undelete has it back until its window is over',
    needs: 'admin',
    verb: 'destroy',
    long: true,
    audit: 'required',
    params: anId,
    body: nothing,
    run: async ({ daemon, params: { id }, signal, onProgress }) =>
      projectView(await daemon.engine.destroy(id, { signal, onProgress })),
  }),
  route({
    method: 'POST',
    path: '/v1/projects/{id}/undelete',
    about: 'Have a destroyed project back',
    needs: 'admin',
    verb: 'undelete',
    audit: 'noted',
    params: anId,
    body: nothing,
    run: async ({ daemon, params: { id }, signal }) => {
      const project = await undelete(daemon.engine.host, id, { signal })
      daemon.opens.forget(id)
      return projectView(project)
    },
  }),
  route({
    method: 'PUT',
    path: '/v1/projects/{id}/quota',
    about: 'What it may take; null for no limit',
    needs: 'admin',
    verb: 'quota',
    audit: 'noted',
    params: anId,
    body: z.strictObject({ quotaBytes: bytesCount.nullable() }),
    run: async ({ daemon, params: { id }, body: { quotaBytes }, signal }) => {
      const project = await daemon.engine.setQuota(id, quotaBytes, { signal })
      // What kept it closed may have been this.
      daemon.opens.forget(id)
      return projectView(project)
    },
  }),
  route({
    method: 'PUT',
    path: '/v1/projects/{id}/properties',
    about: 'What its dataset is like: those that are named, null for as the pool has it; the others stay',
    needs: 'admin',
    verb: 'set',
    audit: 'noted',
    params: anId,
    body: z.strictObject({ properties: z.record(z.string(), z.string().nullable()) }),
    run: async ({ daemon, params: { id }, body: { properties }, signal }) => {
      const project = await daemon.engine.setProperties(id, properties, { signal })
      // What kept it closed may have been this.
      daemon.opens.forget(id)
      return projectView(project)
    },
  }),
  route({
    method: 'POST',
    path: '/v1/projects/{id}/move',
    about: 'Let another host have it at once',
    needs: 'admin',
    verb: 'move',
    long: true,
    audit: 'noted',
    params: anId,
    body: z.strictObject({ to: z.string().min(1).max(255) }),
    run: async ({ daemon, params: { id }, body: { to }, signal, onProgress }) => {
      const moved = await daemon.engine.move(id, to, { signal, onProgress })
      return { ...projectView(moved.project), to: moved.to, tookMs: Math.round(moved.tookMs) }
    },
  }),
]
