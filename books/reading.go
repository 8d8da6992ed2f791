package books

import (
	"cmp"
	"slices"
	"strings"

	"hospay/flow"
	"hospay/internal/foreign"
	"hospay/reconcile"
	"hospay/reconcile/files"
)

// prefixes are the beginnings of an institution's own numbers, where others use
// its merchant account too; none = all numbers are its own.
func prefixes(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,，、;；\n\t", r) })
}

// table says how the institution's tables are read.
func (s settings) table() (files.Options, error) {
	words, err := foreign.ReadWords(s.Words)
	sign, _ := files.SignOf(s.HISSign)
	return files.Options{Words: words, Sign: sign}, err
}

// told is what the settings add to the inputs of a run; the usual ones add
// nothing.
func (s settings) told() string {
	if s.Prefixes == "" && s.Words == "" && (s.HISSign == "" || s.HISSign == "auto") {
		return ""
	}
	return strings.Join([]string{s.Prefixes, s.Words, s.HISSign}, "\n")
}

// reading is what a file holds.
type reading struct {
	info    files.Info
	rejects []files.Reject
}

// read reads a file from end to end without keeping its lines.
func read(opt files.Options, f files.File, source, kind, day string, line func(reconcile.Line) error) (r reading, err error) {
	sink := files.Sink{Line: func(l *reconcile.Line) error { return line(*l) }, Reject: func(j files.Reject) error {
		if len(r.rejects) < keptRejects {
			r.rejects = append(r.rejects, j)
		}
		return nil
	}}
	if source == SourceHIS {
		if kind == kindCharges {
			opt.Charges, opt.Sign = true, files.AutoSign
		}
		r.info, err = opt.ReadTable(f, reconcile.HIS, day, sink)
		return r, err
	}
	switch {
	case source == SourceCentre && kind == kindTotals:
		_, r.info, err = files.ReadTotals(f)
	case source == SourceCentre:
		r.info, err = files.ReadDetail(f, func(files.CentreLine) error { return nil }, sink.Reject)
	default:
		r.info, err = files.ReadBill(f, day, sink)
	}
	return r, err
}

// ofTheDay refuses a table of HIS that has nothing of its day, with the likely
// reason.
func (r reading) ofTheDay(in Incoming, opt files.Options) error {
	switch {
	case r.info.Lines == 0 || r.info.OnDay > 0:
		return nil
	case r.info.Lines == r.info.Rejects:
		return &files.Refusal{File: in.Name, Reason: "没有一行读得懂，" + r.info.Reason}
	case opt.Sign != files.AutoSign:
		return &files.Refusal{File: in.Name, Reason: "没有 " + in.Day + " 的退款：拿错了日期，或机构设置的“HIS 退款金额”正负不对"}
	}
	return &files.Refusal{File: in.Name, Reason: "没有 " + in.Day + " 的记录，拿错了日期"}
}

// forms name the kinds of bills by what their headers say.
var forms = map[string][]string{
	"微信资金账单": {"fundflow_operation", "fundflow_basic"}, "微信交易账单": {"trade"}, "支付宝账务明细": {"signcustomer"}, "支付宝业务明细": {"trade"},
	"HIS明细表": {"statement"}, "HIS收费明细表": {kindCharges},
	files.FormTotals: {kindTotals}, files.FormDetail: {kindDetail},
}

// kindOf is the kind of a file; one that is not what it was said to be is refused.
func kindOf(in Incoming, info files.Info) (string, error) {
	kinds := forms[info.Kind]
	source := cmp.Or(info.Channel, SourceHIS)
	if info.Kind == files.FormTotals || info.Kind == files.FormDetail {
		source = SourceCentre
	}
	if len(kinds) == 0 || source != in.Source || (in.Kind != "" && !slices.Contains(kinds, in.Kind)) {
		return "", flow.NewError(CodeStatementOther, info.Kind)
	}
	if in.Kind != "" {
		return in.Kind, nil
	}
	return kinds[0], nil
}
