// Generated file. DO NOT MODIFY IT BY HAND.

export interface Settings {
  /**
   * Your EmailSendX API key. Create one in EmailSendX under Settings → API, with the scopes contacts:read, contacts:write and lists:read.
   */
  apiKey: string
  /**
   * The list that identified contacts join, unless the mapping names another. Leave it empty to add them to no list.
   */
  defaultListId?: string
  /**
   * The address of your EmailSendX server. Change it only if you host EmailSendX yourself.
   */
  apiUrl?: string
}
