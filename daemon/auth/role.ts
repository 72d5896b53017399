/** What a caller may ask: to read looks, to operate opens and saves, to administer may lose something. Each may what those before it may. */
export const ROLES = ['read', 'operate', 'admin'] as const

export type Role = (typeof ROLES)[number]

export const allows = (has: Role, needs: Role): boolean => ROLES.indexOf(has) >= ROLES.indexOf(needs)
