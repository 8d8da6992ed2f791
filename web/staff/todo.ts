// What can wait for somebody, where it is done, and what it is.
export const todoWords: Record<string, { name: string; to: string; help: string }> = {
  review: { name: '退款待初审', to: '/queue?stage=first', help: '核对后通过或驳回' },
  second: { name: '退款待复核', to: '/queue?stage=second', help: '另一位审核员已通过，等第二个人' },
  proxies: { name: '代办待审核', to: '/proxies', help: '核对双方证件和关系证明' },
  suspense: { name: '挂账待处理', to: '/suspense', help: '提出处理，或确认同事提出的处理' },
  refunds: { name: '缴费退费待确认', to: '/payments?needs=second', help: '同事提出的退费，等第二个人' },
  differences: { name: '对账差异待处理', to: '/recon', help: '按日历上标红的日期处理' },
  proposed: { name: '差异处理待确认', to: '/recon', help: '同事提出的处理，等第二个人' },
  months: { name: '月结待确认', to: '/recon', help: '同事申请的月结或重开，等第二个人' },
  changes: { name: '配置变更待确认', to: '/config?tab=changes', help: '同事提出的修改，确认后才生效' },
  reveals: { name: '查看放行待确认', to: '/reveals', help: '同事申请今天查看更多个人信息' },
}
