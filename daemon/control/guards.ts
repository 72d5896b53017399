/** The guards of the listeners: how each proves who asks, and what he may. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import type { BearerTokens } from '../auth/bearer-tokens.ts'
import { type Asked, bearerOf, type Caller, forbidden, type Guard, unauthenticated } from '../auth/caller.ts'
import type { Certificate } from '../auth/certificate.ts'
import type { OwnerTokens } from '../auth/owner-tokens.ts'
import { allows } from '../auth/role.ts'
import { checkSameSite } from '../auth/same-site.ts'

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
    const proof = await tokens.proves(id, secret, pathOf(id))
    if (proof === undefined)
      throw unauthenticated(
        `nothing proves that project ${id} is yours`,
        `The token is in ${tokens.fileOf(id)}, which only its owner can read, once the project was opened on this host.`,
      )
    if (proof === 'away' && route.needs !== 'read')
      throw forbidden(
        `project ${id} is not on this host any more, so nobody can see whose it is by now`,
        'Touch its path, which opens it here, and ask again; `tidepool why` tells why that fails.',
      )
    return { principal: `owner:${id}`, role: 'operate' }
  }

/** Anybody on the network: whoever has no token learns nothing, not even which requests there are. */
export const tokenGuard =
  (tokens: BearerTokens, certificate: () => Certificate | undefined): Guard =>
  async (asked) => {
    checkSameSite(asked, certificate())
    const secret = bearerOf(asked.headers)
    const found = secret === undefined ? undefined : tokens.find(secret)
    if (found === undefined)
      throw unauthenticated(
        'there is no valid token with this request',
        'Send `Authorization: Bearer TOKEN`, with one that `tidepool token create` has printed.',
      )
    if (found === 'expired')
      throw unauthenticated('the token has expired', 'Create another one: `tidepool token create`.')
    return { principal: `token:${found.name}`, role: found.role }
  }

/** Rejects with `forbidden` where a caller who is known may not ask this. */
export function checkRole({ principal, role }: Caller, { route }: Asked): void {
  if (!route || allows(role, route.needs)) return
  throw forbidden(
    `${principal} may ${role}, and this needs ${route.needs}`,
    'Ask with another token, or on the host as root.',
  )
}
