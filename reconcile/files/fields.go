package files

// field is a column of the bills that is read in every line.
type field int

// The fields, by their place in fieldNames.
const (
	fBooked field = iota
	fPayNo
	fFlowNo
	fName
	fKind
	fWay
	fMoved
	fVoucher
	fTradeTime
	fTransaction
	fMerchantNo
	fSettled
	fRefunded
	fAsked
	fState
	fOrdered
	fRefundNo
	fRefundID
	fRefundState
	fRefundAsked
	fRefundDone
	fIn
	fOut
	fBusinessNo
	fLedgerNo
	fAt
	fGot
	fTradeNo
	fRequest
	fDone
	fBegun
	fields
)

var fieldNames = [fields]string{
	fBooked:      "记账时间",
	fPayNo:       "微信支付业务单号",
	fFlowNo:      "资金流水单号",
	fName:        "业务名称",
	fKind:        "业务类型",
	fWay:         "收支类型",
	fMoved:       "收支金额",
	fVoucher:     "业务凭证号",
	fTradeTime:   "交易时间",
	fTransaction: "微信订单号",
	fMerchantNo:  "商户订单号",
	fSettled:     "应结订单金额",
	fRefunded:    "退款金额",
	fAsked:       "申请退款金额",
	fState:       "交易状态",
	fOrdered:     "订单金额",
	fRefundNo:    "商户退款单号",
	fRefundID:    "微信退款单号",
	fRefundState: "退款状态",
	fRefundAsked: "退款申请时间",
	fRefundDone:  "退款成功时间",
	fIn:          "收入金额",
	fOut:         "支出金额",
	fBusinessNo:  "业务流水号",
	fLedgerNo:    "账务流水号",
	fAt:          "发生时间",
	fGot:         "商家实收",
	fTradeNo:     "支付宝交易号",
	fRequest:     "退款批次号/请求号",
	fDone:        "完成时间",
	fBegun:       "创建时间",
}

// find learns where the fields of a bill stand; -1 where it has none.
func (b *bill) find() {
	for f, name := range fieldNames {
		b.at[f] = b.h.col(name)
	}
}

func (b *bill) cell(rec []string, f field) string {
	if i := b.at[f]; i >= 0 && i < len(rec) {
		return clean(rec[i])
	}
	return ""
}
