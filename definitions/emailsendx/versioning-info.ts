/** EMAILSENDX_API_VERSION
 * EmailSendX REST API version, the last part of `https://emailsendx.com/api/v1`.
 * API reference: https://emailsendx.com/docs/api
 */
export const EMAILSENDX_API_VERSION = 'v1'
