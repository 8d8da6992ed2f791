package centre

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"strconv"
	"strings"

	"hospay/flow"
	"hospay/money"
	"hospay/payment"
)

var _ payment.CentreBooks = (*Client)(nil)

// BookHabits are what the region decides about its books.
func (c *Client) BookHabits() payment.BookHabits {
	p, b := c.region.Paths, c.region.Books
	return payment.BookHabits{Totals: p.Totals != "", Detail: p.Detail != "", WithRefunds: b.WithRefunds == "1", Type: b.ClearType,
		Optins: b.ClearOptins}
}

// Totals asks whether the centre has the same totals of a day (3201).
func (c *Client) Totals(ctx context.Context, t payment.Totals) payment.Compared {
	if c.region.Paths.Totals == "" {
		return payment.Compared{Result: badCall("该地区没有提供 3201")}
	}
	m := c.totals(t)
	m["insutype"], m["acct_pay"] = t.Insutype, t.Account.Yuan()
	d, a := c.call(ctx, c.region.Paths.Totals, m)
	out := payment.Compared{Result: a, Rslt: d.text("stmt_rslt"), Words: d.text("stmt_rslt_dscr")}
	switch optins := d.text("setl_optins"); {
	case a.Verdict != flow.Done:
	case optins != "" && optins != t.Optins:
		out.Result = doubt(CodeMismatch, "应答属于另一个清算机构", flow.ActorIT)
	case out.Rslt == "":
		out.Result = doubt(CodeUnclear, "应答没有对账结果", flow.ActorNone)
	}
	return out
}

// totals are the fields that 3201 and 3202 share.
func (c *Client) totals(t payment.Totals) map[string]any {
	return map[string]any{"fixmedins_code": c.org, "clr_type": t.Type, "setl_optins": t.Optins, "stmt_begndate": t.Day, "stmt_enddate": t.Day,
		"medfee_sumamt": t.Total.Yuan(), "fund_pay_sumamt": t.Fund.Yuan(), "fixmedins_setl_cnt": strconv.Itoa(t.Count),
		"refd_setl_flag": c.region.Books.WithRefunds}
}

// Detail uploads the lines (9101), asks for the comparison (3202) and fetches its
// file (9102). How the two carry a file in this envelope is unconfirmed: as base64.
func (c *Client) Detail(ctx context.Context, t payment.Totals, lines []payment.SettledLine) ([]byte, payment.Result) {
	p := c.region.Paths
	if p.Detail == "" {
		return nil, badCall("该地区没有提供 3202")
	}
	name := "3202-" + t.Day + "-" + t.Optins + "-" + t.Type
	file, err := c.detailFile(name+".txt", lines)
	if err != nil {
		return nil, badCall("明细文件无法生成")
	}
	d, a := c.call(ctx, p.Put, map[string]any{"fixmedins_code": c.org, "filename": name + ".zip",
		"in": base64.StdEncoding.EncodeToString(file)})
	if a.Verdict != flow.Done || d.text("file_qury_no") == "" {
		return nil, unless(a, "应答没有文件查询号")
	}
	m := c.totals(t)
	m["file_qury_no"], m["cash_payamt"] = d.text("file_qury_no"), t.Cash.Yuan()
	if d, a = c.call(ctx, p.Detail, m); a.Verdict != flow.Done || d.text("file_qury_no") == "" {
		return nil, unless(a, "应答没有文件查询号")
	}
	d, a = c.call(ctx, p.Get, map[string]any{"fixmedins_code": c.org, "file_qury_no": d.text("file_qury_no"), "filename": d.text("filename")})
	if a.Verdict != flow.Done {
		return nil, a
	}
	out, err := base64.StdEncoding.DecodeString(d.text("in"))
	if err != nil || len(out) == 0 {
		return nil, doubt(CodeNoAnswer, "结果文件读不出", flow.ActorIT)
	}
	return out, done
}

// unless is the outcome of a call, or a doubt where it lacks something.
func unless(a payment.Result, lacks string) payment.Result {
	if a.Verdict != flow.Done {
		return a
	}
	return doubt(CodeUnclear, lacks, flow.ActorIT)
}

// detailFile is the upload: a line a settlement, no end of line after the last.
func (c *Client) detailFile(name string, lines []payment.SettledLine) ([]byte, error) {
	cell := func(s string) string {
		if s == "" {
			return c.region.Books.Null
		}
		return s
	}
	var rows []string
	for _, l := range lines {
		sign, flag := money.Fen(1), "0"
		if l.Back { // that amounts of what went back stand below zero is unconfirmed
			sign, flag = -1, "1"
		}
		rows = append(rows, strings.Join([]string{cell(l.SetlID), cell(l.MdtrtID), cell(l.PsnNo), (sign * l.Total).Yuan(), (sign * l.Fund).Yuan(),
			(sign * l.Account).Yuan(), flag}, c.region.Books.Separator))
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(strings.Join(rows, "\n"))); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}
