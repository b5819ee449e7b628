export interface Settings {
  apiKey: string
  defaultListId?: string
  apiUrl?: string
}
