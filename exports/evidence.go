package exports

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/i18n"
	"hospay/money"
	"hospay/people"
	"hospay/refund"
	"hospay/report"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// EvidenceRoles may have the evidence of an order.
func EvidenceRoles() []string {
	return []string{people.RoleReviewer, people.RoleFinance, people.RoleAuditor}
}

// evidenceTable says how rows of a collection become a section.
type evidenceTable struct {
	collection, file, title string
	fields                  []string // the columns of the page; the file holds every field that is not hidden
	head                    []string
	by                      string // the field that names the order; empty: order
	words                   string // the first part of the keys of its words, where they are its own
}

// evidenceTables are the sections in their order. What belongs to an order by
// its field `order` joins here with a line.
var evidenceTables = []evidenceTable{
	{collection: collections.Reviews, file: "reviews.json", title: "审核记录",
		fields: []string{"created", "stage", "decision", "reviewer", "note", "verdicts"},
		head:   []string{"时间", "环节", "结论", "审核人", "意见", "规则结论"}},
	{collection: collections.HISCalls, file: "his_calls.json", title: "HIS 往来",
		fields: []string{"created", "kind", "no", "amount", "state", "his_no", "code", "message", "sent"},
		head:   []string{"时间", "类型", "单号", "金额", "状态", "HIS流水号", "代码", "说明", "发送次数"}},
	{collection: collections.TransferOrders, file: "transfers.json", title: "渠道往来",
		fields: []string{"created", "out_bill_no", "method", "channel", "amount", "state", "reported", "channel_no", "code", "message",
			"paid_at"},
		head: []string{"时间", "商户单号", "方式", "渠道", "金额", "状态", "渠道报告", "渠道单号", "代码", "说明", "到账时间"}},
	{collection: collections.Receipts, file: "receipts.json", title: "电子回单",
		fields: []string{"created", "out_bill_no", "state", "sha256", "message"},
		head:   []string{"时间", "商户单号", "状态", "SHA-256", "说明"}},
	{collection: collections.Notifications, file: "notifications.json", title: "通知",
		fields: []string{"created", "event", "round", "via", "to", "title", "body", "state", "sent_at"},
		head:   []string{"时间", "事件", "次数", "方式", "对象", "标题", "内容", "状态", "发出时间"}},
	{collection: collections.RefundEvents, file: "timeline.json", title: "处理记录",
		fields: []string{"created", "seq", "event", "from", "to", "actor_kind", "actor", "code", "message", "hash"},
		head:   []string{"时间", "序号", "事件", "从", "到", "谁", "标识", "代码", "说明", "校验值"}},
}

// packer collects the evidence of one order.
type packer struct {
	app   core.App
	store *store.Store
	order *core.Record
	ids   []string // the order, and the one that restored its returned payout
	names map[string]string
	pack  report.Pack
}

// Evidence writes the evidence of an order as a ZIP.
func Evidence(ctx context.Context, app core.App, st *store.Store, order *core.Record, person string, at time.Time, w io.Writer) error {
	inst, err := app.FindRecordById(collections.Institutions, order.GetString("institution"))
	if err != nil {
		return err
	}
	p := &packer{app: app, store: st, order: order, ids: []string{order.Id}, names: map[string]string{}}
	p.pack = report.Pack{Title: "退款证据包", NoName: "退款单号", First: "退款申请", No: order.GetString("no"), Unit: inst.GetString("name"),
		Person: person, At: moment(at)}
	back, err := recordsOf(app, collections.RefundOrders, "compensates", order.Id)
	if err != nil {
		return err
	}
	for _, back := range back {
		p.ids = append(p.ids, back.Id)
	}
	p.facts()
	for _, t := range evidenceTables {
		if err := p.table(ctx, t); err != nil {
			return err
		}
	}
	if err := p.callbacks(); err != nil {
		return err
	}
	if err := p.proxy(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.pack.Write(w)
}

// recordsOf reads the rows of a table that belong to an order. Indexes that hold no row
// without one serve only a question that says so in the words of SQL.
func recordsOf(app core.App, table, by, order string) (out []*core.Record, err error) {
	column := table + ".`" + by + "`"
	return out, app.RecordQuery(table).AndWhere(dbx.NewExp(column+" = {:o} AND "+column+" != ''", dbx.Params{"o": order})).
		OrderBy(table+".created", table+".id").All(&out)
}

// facts fills the application and its file.
func (p *packer) facts() {
	o := p.order
	for _, f := range [][2]string{
		{"退款单号", o.GetString("no")}, {"申请时间", stampText(o, "created")}, {"状态", word("report.status", o.GetString("status"))},
		{"就诊卡号", o.GetString("card_no")},
		{"收款人", o.GetString("payee_name")}, {"收款账户", o.GetString("payee_account")}, {"通知电话", o.GetString("notify_phone")},
		{"金额", o.GetString("amount")},
		{"退款方式", word("method", o.GetString("method"))}, {"渠道", word("channel", o.GetString("channel"))}, {"须知版本", o.GetString("notice_version")},
		{"代办申请", o.GetString("proxy_application")},
		{"HIS流水号", o.GetString("his_refund_no")}, {"HIS退款时间", stampText(o, "his_refund_date")}, {"渠道流水号", o.GetString("channel_bill_no")},
		{"到账时间", stampText(o, "paid_at")},
		{"原因", store.ReasonText(o.GetString("fail_code"), o.GetString("fail_reason"))},
	} {
		if f[0] == "金额" {
			fen := money.Fen(int64(o.GetFloat("amount")))
			f[1] = fen.Yuan() + " 元（" + fen.Capital() + "）"
		}
		p.pack.Facts = append(p.pack.Facts, f)
	}
	data := []any{}
	for _, id := range p.ids {
		if rec, err := p.app.FindRecordById(collections.RefundOrders, id); err == nil {
			data = append(data, rec.PublicExport())
		}
	}
	p.pack.Sections = append(p.pack.Sections, report.Section{File: "application.json", Title: "退回恢复单", Head: []string{"退款单号", "状态"},
		Rows: p.restored(), Data: data})
}

func (p *packer) restored() [][]string {
	if len(p.ids) < 2 {
		return nil
	}
	rec, err := p.app.FindRecordById(collections.RefundOrders, p.ids[1])
	if err != nil {
		return nil
	}
	return [][]string{{rec.GetString("no"), word("report.status", rec.GetString("status"))}}
}

// table adds the rows of a collection that belong to the order.
func (p *packer) table(ctx context.Context, t evidenceTable) error {
	var recs []*core.Record
	for _, id := range p.ids {
		found, err := recordsOf(p.app, t.collection, cmp.Or(t.by, "order"), id)
		if err != nil {
			return err
		}
		if t.collection == collections.RefundEvents || t.collection == collections.PaymentEvents {
			slices.SortFunc(found, func(a, b *core.Record) int { return a.GetInt("seq") - b.GetInt("seq") })
			if len(found) > 0 && found[0].GetInt("seq") != 1 {
				return flow.NewError(store.CodeArchiveMissing, "") // evidence is whole or none
			}
		}
		recs = append(recs, found...)
	}
	if t.collection == collections.Receipts {
		if err := p.receipts(ctx, recs); err != nil {
			return err
		}
	}
	p.add(t, recs)
	return nil
}

func (p *packer) add(t evidenceTable, recs []*core.Record) {
	s := report.Section{File: t.file, Title: t.title, Head: t.head}
	data := []any{}
	for _, r := range recs {
		row := make([]string, 0, len(t.fields))
		for _, f := range t.fields {
			row = append(row, p.text(t, r, f))
		}
		s.Rows = append(s.Rows, row)
		data = append(data, r.PublicExport())
	}
	s.Data = data
	p.pack.Sections = append(p.pack.Sections, s)
}

var address = regexp.MustCompile(`https?://\S+`)

// text is a field as people read it.
func (p *packer) text(t evidenceTable, r *core.Record, field string) string {
	if words, ok := worded(t, field, r.GetString(field)); ok {
		return words
	}
	switch field {
	case "created", "sent_at", "paid_at", "purged_at", "asked_at", "done_at":
		return stampText(r, field)
	case "amount", "fund", "account", "cash":
		return money.Fen(int64(r.GetFloat(field))).Yuan()
	case "method", "channel":
		return word(field, r.GetString(field))
	case "status":
		return word("proxy.status", r.GetString(field))
	case "stage", "decision", "kind", "state", "via", "actor_kind":
		if key := "proxy.material." + r.GetString(field); i18n.Has(key) {
			return i18n.Text(i18n.Default, key)
		}
		if key := "evidence." + r.GetString(field); i18n.Has(key) {
			return i18n.Text(i18n.Default, key)
		}
	case "event":
		if key := "event." + r.GetString(field); i18n.Has(key) {
			return i18n.Text(i18n.Default, key)
		}
	case "from", "to":
		if key := "report.status." + r.GetString(field); i18n.Has(key) {
			return i18n.Text(i18n.Default, key)
		}
	case "reviewer", "actor":
		return p.person(r.GetString(field))
	case "verdicts":
		return verdictText(r.GetString(field))
	case "case", "relation":
		return word("proxy."+field, r.GetString(field))
	case "body":
		return address.ReplaceAllString(r.GetString(field), "（链接）") // paper opens nothing
	case "seq", "round", "sent", "size":
		return strconv.Itoa(r.GetInt(field))
	}
	return r.GetString(field)
}

// person is the name of a staff member; others stay as they are named.
func (p *packer) person(id string) string {
	if name, ok := p.names[id]; ok {
		return name
	}
	p.names[id] = id
	if rec, err := p.app.FindRecordById(collections.Staff, id); err == nil {
		p.names[id] = rec.GetString("name")
	}
	return p.names[id]
}

// verdictText lists what each rule said.
func verdictText(raw string) string {
	var verdicts []refund.RuleVerdict
	if json.Unmarshal([]byte(raw), &verdicts) != nil {
		return raw
	}
	var parts []string
	for _, v := range verdicts {
		result := "不通过"
		if v.Pass {
			result = "通过"
		}
		parts = append(parts, v.Detail+"："+result)
	}
	return strings.Join(parts, "；")
}

// proxy adds the application of a relative, and the list of its materials. The
// photos themselves stay where they are; their hashes tell which they were.
func (p *packer) proxy() error {
	id := p.order.GetString("proxy_application")
	if id == "" {
		return nil
	}
	application, err := p.app.FindRecordById(collections.ProxyApplications, id)
	if err != nil {
		return err
	}
	p.add(evidenceTable{file: "proxy_application.json", title: "代办申请", fields: []string{"created", "no", "case", "relation", "principal_name",
		"principal_id_type", "principal_id_no", "status", "note", "reviewer"},
		head: []string{"时间", "申请号", "情形", "关系", "委托人", "证件号", "状态", "意见", "审核人"}}, []*core.Record{application})
	materials, err := p.app.FindRecordsByFilter(collections.ProxyMaterials, "application = {:a}", "created,id", 0, 0, dbx.Params{"a": id})
	if err != nil {
		return err
	}
	p.add(evidenceTable{file: "proxy_materials.json", title: "代办材料", fields: []string{"created", "kind", "size", "sha256", "purged_at"},
		head: []string{"上传时间", "材料", "字节数", "SHA-256", "销毁时间"}}, materials)
	return nil
}

// callbacks adds the notifications of the channel, which name the number and
// not the order.
func (p *packer) callbacks() error {
	var nos []string
	for _, id := range p.ids {
		transfers, err := p.app.FindRecordsByFilter(collections.TransferOrders, "order = {:o}", "attempt", 0, 0, dbx.Params{"o": id})
		if err != nil {
			return err
		}
		for _, t := range transfers {
			nos = append(nos, t.GetString("out_bill_no"))
		}
	}
	return p.callbacksOf(nos)
}

// callbacksOf adds the notifications about some numbers.
func (p *packer) callbacksOf(nos []string) error {
	recs := []*core.Record{}
	for _, no := range nos {
		found, err := p.app.FindRecordsByFilter(collections.Callbacks, "institution = {:i} && no = {:n}", "created,id", 0, 0,
			dbx.Params{"i": p.order.GetString("institution"), "n": no})
		if err != nil {
			return err
		}
		recs = append(recs, found...)
	}
	p.add(evidenceTable{file: "callbacks.json", title: "渠道通知", fields: []string{"created", "channel", "kind", "no", "effect", "body"},
		head: []string{"时间", "渠道", "类型", "单号", "作用", "内容"}}, recs)
	return nil
}

// receipts encloses the receipts as the channel issued them.
func (p *packer) receipts(ctx context.Context, recs []*core.Record) error {
	for _, r := range recs {
		if r.GetString("file") == "" {
			continue
		}
		data, err := p.store.Receipt(ctx, r)
		if err != nil {
			return err
		}
		p.pack.Files = append(p.pack.Files, report.File{Name: "receipts/" + r.GetString("out_bill_no") + ".pdf", Data: data})
	}
	return nil
}

func stampText(r *core.Record, field string) string { return moment(r.GetDateTime(field).Time()) }
