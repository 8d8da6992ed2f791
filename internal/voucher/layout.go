// Package voucher writes what moved on a day as vouchers (记账凭证) in the layout that
// a hospital's finance software reads.
package voucher

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The accounts that a layout names.
const (
	Deposit   = "deposit"   // 预交金
	WeChat    = "wechat"    // 微信商户号里的钱
	Alipay    = "alipay"    // 支付宝商户号里的钱
	Insurance = "insurance" // 应收医保
	Other     = "other"     // 医院减免等
	Income    = "income"    // 医疗收入
)

// Accounts lists them.
func Accounts() []string { return []string{Deposit, WeChat, Alipay, Insurance, Other, Income} }

// Kind is why money moved; each day and kind is a voucher.
type Kind string

// The kinds.
const (
	Refund  Kind = "refund"  // 预交金退款
	Payment Kind = "payment" // 缴费
	Payback Kind = "payback" // 缴费退费
)

// Account is an account of the hospital's books.
type Account struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Column is a column of the file: a title, and a text in which what stands in
// braces is filled in.
type Column struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

// Layout is how the file looks.
type Layout struct {
	File      string             `json:"file"`       // csv, txt, xlsx
	Encoding  string             `json:"encoding"`   // gbk, utf-8; xlsx has none
	FirstLine string             `json:"first_line"` // before everything; may be empty
	Header    bool               `json:"header"`     // the titles are a line
	Word      string             `json:"word"`       // 凭证字
	Reverse   string             `json:"reverse"`    // what goes back: red (minus on the same side) or sides
	Accounts  map[string]Account `json:"accounts"`
	Summaries map[Kind]string    `json:"summaries"`
	Columns   []Column           `json:"columns"`
}

//go:embed samples/*.json
var samples embed.FS

// Sample is a layout that comes with the program: u8, kis.
func Sample(name string) ([]byte, error) { return samples.ReadFile("samples/" + name + ".json") }

// known are the places that a column may have.
var known = []string{"date", "year", "month", "day", "word", "no", "line", "summary", "code", "account", "debit", "credit", "direction",
	"amount", "count", "person"}

var place = regexp.MustCompile(`\{([^{}]*)\}`)

// More than any finance software has.
const (
	mostColumns = 80
	mostText    = 300
)

// Parse reads a layout. What is wrong is told in words for who wrote it.
func Parse(data []byte) (Layout, error) {
	var l Layout
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return l, fmt.Errorf("凭证格式不是正确的 JSON，或有不认识的项：%w", err)
	}
	for _, check := range []func() error{l.checkFile, l.checkBooks, l.checkColumns} {
		if err := check(); err != nil {
			return l, fmt.Errorf("凭证格式：%w", err)
		}
	}
	return l, nil
}

func (l Layout) checkFile() error {
	switch {
	case !slices.Contains([]string{"csv", "txt", "xlsx"}, l.File):
		return fmt.Errorf("file 应为 csv、txt 或 xlsx，现在是 %q", l.File)
	case l.File != "xlsx" && !slices.Contains([]string{"gbk", "utf-8"}, l.Encoding):
		return fmt.Errorf("encoding 应为 gbk 或 utf-8，现在是 %q", l.Encoding)
	case l.Reverse != "red" && l.Reverse != "sides":
		return fmt.Errorf("reverse 应为 red（红字）或 sides（借贷对调），现在是 %q", l.Reverse)
	case strings.TrimSpace(l.Word) == "":
		return fmt.Errorf("word（凭证字）没有填写")
	}
	return nil
}

func (l Layout) checkBooks() error {
	for _, a := range Accounts() {
		if strings.TrimSpace(l.Accounts[a].Code) == "" {
			return fmt.Errorf("accounts.%s 没有科目编码", a)
		}
	}
	if len(l.Accounts) != len(Accounts()) {
		return fmt.Errorf("accounts 里有不认识的科目，可用的是 %s", strings.Join(Accounts(), "、"))
	}
	for _, k := range []Kind{Refund, Payment, Payback} {
		if err := places(l.Summaries[k], []string{"channel", "count", "date"}); err != nil || strings.TrimSpace(l.Summaries[k]) == "" {
			return fmt.Errorf("summaries.%s（摘要）没有填写，或用了不认识的 {…}；可用 {channel} {count} {date}", k)
		}
	}
	return nil
}

func (l Layout) checkColumns() error {
	if len(l.Columns) == 0 || len(l.Columns) > mostColumns {
		return fmt.Errorf("columns 应有 1 到 %d 列", mostColumns)
	}
	var all strings.Builder
	for i, c := range l.Columns {
		if len(c.Title) > mostText || len(c.Value) > mostText {
			return fmt.Errorf("第 %d 列太长", i+1)
		}
		if err := places(c.Value, known); err != nil {
			return fmt.Errorf("第 %d 列 %s：%w", i+1, c.Title, err)
		}
		all.WriteString(c.Value)
	}
	has := func(name string) bool { return strings.Contains(all.String(), "{"+name+"}") }
	if !has("code") {
		return fmt.Errorf("没有一列是科目编码 {code}")
	}
	if both := has("debit") && has("credit"); !both && (!has("amount") || !has("direction")) {
		return fmt.Errorf("没有借贷金额：要有 {debit} 和 {credit} 两列，或 {amount} 和 {direction} 两列")
	}
	return nil
}

// places reports a place that nobody fills in.
func places(text string, may []string) error {
	for _, m := range place.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(may, m[1]) {
			return fmt.Errorf("不认识 {%s}，可用的是 %s", m[1], strings.Join(may, "、"))
		}
	}
	return nil
}
