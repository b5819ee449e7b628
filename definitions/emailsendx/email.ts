import { PayloadValidationError } from '@segment/actions-core'
import { toEmail, whatIsWrong } from './address'

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
  return userId === undefined ? undefined : toEmail(userId)
}
