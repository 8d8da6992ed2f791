// Events of an order in words.
const names: Record<string, string> = {
  'order.submitted': '患者提交申请', 'his.debit.sent': '向 HIS 退预交金', 'his.debited': 'HIS 已退预交金', 'his.debit.unknown': 'HIS 结果未知，继续查询', 'his.refused': 'HIS 拒绝', 'review.opened': '进入审核',
  'review.approved': '审核通过', 'review.first_approved': '初审通过，待复核', 'review.rejected': '审核驳回', 'review.auto': '自动审核转人工', 'review.shadow': '影子规则', 'payout.started': '发起出款', 'payout.sent': '已发送渠道', 'payout.awaiting_payee': '等待患者确认收款',
  'payout.confirmed': '患者已确认', 'payout.succeeded': '到账', 'payout.failed': '出款失败', 'payout.unknown': '渠道结果未知，继续查询', 'payout.held': '出款暂缓', 'payout.returned': '款项被退回', 'his.reverse.sent': '向 HIS 撤销', 'his.reversed': 'HIS 已撤销，余额恢复',
  'order.debiting': '准备向 HIS 退预交金', 'payout.refused': '渠道拒绝', 'suspense.proved': '查询证实，回到流程', 'suspense.proposed': '提出处理', 'suspense.confirmed': '确认处理', 'suspense.withdrawn': '撤回处理', 'callback.transfer': '收到渠道通知', 'callback.refund': '收到渠道通知',
  'his.reverse.unknown': 'HIS 撤销结果未知', 'order.cancelled': '已撤销', 'order.cancel_asked': '患者要求撤销', 'order.suspended': '转挂账', 'order.woken': '立即查询', 'payout.frozen': '出款冻结中',
}

export const actors: Record<string, string> = { system: '系统', patient: '患者', staff: '工作人员', channel: '渠道' }

export function eventText(event: string): string {
  return names[event] ?? event
}
