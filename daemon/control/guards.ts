/** The guards of the listeners: how each proves who asks, and what he may. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { bearerOf, forbidden, type Guard, unauthenticated } from '../auth/caller.ts'
import type { OwnerTokens } from '../auth/owner-tokens.ts'

/** The file system has proved it: nobody else can open this socket. */
export const rootGuard: Guard = async () => ({ principal: 'root', role: 'admin' })

/** Everybody can reach it, so every request proves that it comes from the owner of the project that it names. */
export const ownerGuard =
  (tokens: OwnerTokens, pathOf: (id: ProjectId) => string | undefined): Guard =>
  async ({ route, params, headers }) => {
    if (!route)
      throw new TidepoolError('no-route', 'there is no such request', {
        hint: 'What an owner may ask begins with /v1/projects/ID.',
      })
    if (!route.owner)
      throw forbidden(
        'this is not for the owners of projects to ask',
        'Ask for what is yours by its id, or ask as root.',
      )
    const id = projectId(String((params as { readonly id?: unknown }).id))
    const secret = bearerOf(headers)
    if (secret === undefined || !(await tokens.proves(id, secret, pathOf(id))))
      throw unauthenticated(
        `nothing proves that project ${id} is yours`,
        `The token is in ${tokens.fileOf(id)}, which only its owner can read, while the project is on this host.`,
      )
    return { principal: `owner:${id}`, role: 'operate' }
  }
