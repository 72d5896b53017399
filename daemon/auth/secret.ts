/**
 * Secrets that we draw ourselves, and how they are compared. They are 256 random bits, so one SHA-256 is all that keeping them
 * needs: a slow hash makes guessing dearer where people choose the secret, and there is nothing here to guess.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

export const newSecret = (): string => `tp_${randomBytes(32).toString('base64url')}`

export const digestOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

/** Of digests: they are as long as each other whatever was given, and tell nothing about the secret by the time that it takes. */
export const isSame = (one: Buffer, other: Buffer): boolean => timingSafeEqual(one, other)
