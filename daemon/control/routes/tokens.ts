/** The tokens for the API over TCP. */
import { z } from 'zod'
import { TidepoolError } from '../../../pipeline/base/errors.ts'
import { type KeptToken, tokenName } from '../../auth/bearer-tokens.ts'
import { ROLES } from '../../auth/role.ts'
import { nothing, type Route, route } from '../route.ts'

const view = ({ name, role, createdAt, expiresAt }: KeptToken) => ({ name, role, createdAt, expiresAt })

export const tokenRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/tokens',
    about: 'The tokens that are valid over TCP, without their secrets',
    needs: 'admin',
    params: z.object({}),
    body: nothing,
    run: async ({ daemon: { tokens } }) => {
      await tokens.reload()
      return { tokens: tokens.list().map(view) }
    },
  }),
  route({
    method: 'POST',
    path: '/v1/tokens',
    about: 'Make a token; its secret is in this answer and nowhere else',
    needs: 'admin',
    verb: 'token-create',
    audit: 'required',
    params: z.object({}),
    body: z.strictObject({
      name: tokenName,
      role: z.enum(ROLES),
      expiresInMs: z
        .int()
        .min(1)
        .max(100 * 365 * 86_400_000)
        .optional(),
    }),
    run: async ({ daemon: { tokens }, body: { name, role, expiresInMs } }) => {
      const until = expiresInMs === undefined ? undefined : Date.now() + expiresInMs
      const { secret, token } = await tokens.create(name, role, until)
      return { ...view(token), secret }
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/tokens/{name}',
    about: 'Make a token worthless from now on',
    needs: 'admin',
    verb: 'token-remove',
    audit: 'noted',
    params: z.strictObject({ name: tokenName }),
    body: nothing,
    run: async ({ daemon: { tokens }, params: { name } }) => {
      if (await tokens.remove(name)) return { name, removed: true }
      throw new TidepoolError('token-unknown', `there is no token ${name}`, {
        hint: '`tidepool token ls` lists them.',
      })
    },
  }),
]
