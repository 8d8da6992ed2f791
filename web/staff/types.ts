// What the console's routes answer (docs/api.md). Amounts are fen.

export interface OrderLine {
  id: string
  no: string
  created: string
  his_refund_date: string
  paid_at: string
  card_no: string
  payee_name: string
  amount: number
  method: string
  channel: string
  status: string
  review_mode: string
  proxy_application: string
}
