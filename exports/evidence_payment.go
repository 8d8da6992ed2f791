package exports

import (
	"context"
	"io"
	"time"

	"hospay/collections"
	"hospay/internal/i18n"
	"hospay/money"
	"hospay/report"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// paymentTables are the sections of the evidence of a payment, in their order.
var paymentTables = []evidenceTable{
	{collection: collections.PaymentCalls, file: "calls.json", title: "与医保中心、渠道、HIS 的往来",
		fields: []string{"created", "kind", "no", "amount", "state", "reported", "theirs", "code", "message", "sent", "done_at"},
		head:   []string{"时间", "类型", "单号", "金额", "状态", "对方报告", "对方流水号", "代码", "说明", "发送次数", "完成时间"}, words: "payment.call."},
	{collection: collections.PaymentRefunds, file: "refunds.json", title: "退费",
		fields: []string{"asked_at", "no", "kind", "fund", "account", "cash", "state", "reason", "actor", "his_refund_id", "done_at"},
		head:   []string{"时间", "退费单号", "类型", "统筹基金", "个人账户", "自费", "状态", "原因", "谁", "HIS退费单号", "完成时间"}, words: "payment.refund."},
	{collection: collections.Notifications, file: "notifications.json", title: "通知", by: "payment",
		fields: []string{"created", "event", "round", "via", "to", "title", "body", "state", "sent_at"},
		head:   []string{"时间", "事件", "次数", "方式", "对象", "标题", "内容", "状态", "发出时间"}},
	{collection: collections.PaymentEvents, file: "timeline.json", title: "处理记录",
		fields: []string{"created", "seq", "event", "from", "to", "actor_kind", "actor", "code", "message", "hash"},
		head:   []string{"时间", "序号", "事件", "从", "到", "谁", "标识", "代码", "说明", "校验值"}, words: "payment.event."},
}

// PaymentEvidence writes the evidence of a payment as a ZIP.
func PaymentEvidence(ctx context.Context, app core.App, st *store.Store, order *core.Record, person string, at time.Time,
	w io.Writer) error {
	inst, err := app.FindRecordById(collections.Institutions, order.GetString("institution"))
	if err != nil {
		return err
	}
	p := &packer{app: app, store: st, order: order, ids: []string{order.Id}, names: map[string]string{}}
	p.pack = report.Pack{Title: "缴费证据包", NoName: "缴费单号", First: "缴费", No: order.GetString("no"), Unit: inst.GetString("name"),
		Person: person, At: moment(at)}
	p.paymentFacts()
	for _, t := range paymentTables {
		if err := p.table(ctx, t); err != nil {
			return err
		}
	}
	calls, err := app.FindRecordsByFilter(collections.PaymentCalls, "order = {:o}", "created,id", 0, 0, dbx.Params{"o": order.Id})
	if err != nil {
		return err
	}
	var nos []string
	for _, c := range calls {
		nos = append(nos, c.GetString("no"))
	}
	if err := p.callbacksOf(nos); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.pack.Write(w)
}

// paymentFacts fills the order and its file.
func (p *packer) paymentFacts() {
	o := p.order
	insured := map[bool]string{true: "医保 + 自费", false: "全自费"}[o.GetBool("insured")]
	p.pack.Facts = [][2]string{
		{"缴费单号", o.GetString("no")}, {"建单时间", stampText(o, "created")}, {"状态", word("report.payment", o.GetString("status"))},
		{"就诊卡号", o.GetString("card_no")}, {"患者", o.GetString("patient_name")}, {"支付人", o.GetString("payer_name")},
		{"账单号", o.GetString("bill_no")}, {"项目", o.GetString("title")},
		{"场景", word("report.kind", o.GetString("kind"))}, {"渠道", word("channel", o.GetString("channel"))}, {"方式", insured},
	}
	for _, f := range [][2]string{{"合计", "total"}, {"统筹基金", "fund"}, {"个人账户", "account"}, {"其中家庭共济", "account_family"}, {"自费", "cash"},
		{"其他支付", "other"}, {"已退自费", "cash_back"}} {
		fen := money.Fen(int64(o.GetFloat(f[1])))
		p.pack.Facts = append(p.pack.Facts, [2]string{f[0], fen.Yuan() + " 元（" + fen.Capital() + "）"})
	}
	p.pack.Facts = append(p.pack.Facts, [][2]string{{"医保部分", word("payment.insurance", o.GetString("insurance_state"))},
		{"自费部分", word("payment.cash", o.GetString("cash_state"))}, {"医保订单号", o.GetString("pay_ord_id")},
		{"医保结算号", o.GetString("setl_id")}, {"商户单号", o.GetString("out_trade_no")}, {"渠道流水号", o.GetString("channel_no")},
		{"混合单号", o.GetString("mix_trade_no")}, {"收据号", o.GetString("receipt_no")}, {"支付时间", stampText(o, "paid_at")},
		{"HIS收费时间", stampText(o, "written_at")}, {"原因", store.ReasonText(o.GetString("fail_code"), o.GetString("fail_reason"))}}...)
	p.pack.Sections = append(p.pack.Sections, report.Section{File: "order.json", Title: "缴费指引", Head: []string{"取药、检查等"},
		Rows: guided(o.GetString("guide")), Data: o.PublicExport()})
}

func guided(text string) (rows [][]string) {
	if text != "" {
		rows = append(rows, []string{text})
	}
	return rows
}

// worded is a value in the words that a section has of its own.
func worded(t evidenceTable, field, value string) (string, bool) {
	key := ""
	switch {
	case t.words == "":
		return "", false
	case field == "from" || field == "to":
		key = "report.payment." + value
	case field == "kind" && t.collection == collections.PaymentRefunds:
		key = "evidence.refund." + value
	case field == "kind" || field == "event" || field == "state" && t.collection == collections.PaymentRefunds:
		key = t.words + value
	}
	if !i18n.Has(key) {
		return "", false
	}
	return i18n.Text(i18n.Default, key), true
}
