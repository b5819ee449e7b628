import { PayloadValidationError } from '@segment/actions-core'
import { MAX_EMAIL_LENGTH } from './constants'

// One @, something on both sides, a dot inside the domain, no empty label. What else makes an address real, only mail can tell.
const ADDRESS = /^[^@]+@[^@.]+(\.[^@.]+)+$/
// RFC 5321 allows these in quotes only. Unquoted, they are what is left of `Morgan <a@b.co>`, `mailto:a@b.co` or `a@b.co,c@d.co`.
const SPECIAL = /[()<>[\]:;,"\\]/
// White space, control characters, broken surrogates, soft hyphens, zero-width spaces and marks of direction: always a
// slip of the keyboard or of a copy and paste. Joiners stay allowed, some scripts and emoji are written with them.
const FOREIGN = /[\s\p{Cc}\p{Cs}\u00ad\u200b\u200e\u200f\u2060\u202a-\u202e\u2066-\u2069]/u

/** Trimmed and lower-cased address, or undefined when the text is not one. The API treats the address as the identity. */
export function toEmail(text: string): string | undefined {
  const email = text.trim().toLowerCase()
  return email.length <= MAX_EMAIL_LENGTH && ADDRESS.test(email) && !SPECIAL.test(email) && !FOREIGN.test(email)
    ? email
    : undefined
}

/**
 * The address that an event gives: the mapped email, else the user id when that is an address; undefined when it gives none.
 * A mapped email that is not an address is refused rather than passed over, since the user id may be somebody else's.
 * @throws PayloadValidationError that says what is wrong, without repeating the address.
 */
export function resolveEmail({ email, userId }: { email?: string; userId?: string }): string | undefined {
  if (email !== undefined && email.trim() !== '') {
    const address = toEmail(email)
    if (!address) {
      throw new PayloadValidationError(`Email is not a valid email address: ${whatIsWrong(email)}.`)
    }
    return address
  }
  return toEmail(userId ?? '')
}

function whatIsWrong(text: string): string {
  const email = text.trim()
  if (email.length > MAX_EMAIL_LENGTH)
    return `it has ${email.length} characters, at most ${MAX_EMAIL_LENGTH} are allowed`
  if (FOREIGN.test(email)) return 'it contains spaces, control or invisible characters'
  if (SPECIAL.test(email)) return 'it contains one of < > ( ) [ ] : ; , " \\'
  if (email.split('@').length !== 2) return 'it must contain exactly one @'
  return 'it needs a name before the @ and a domain with a dot after it'
}
