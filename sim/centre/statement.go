package centre

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hospay/sim"
)

// entry is a line of the centre's own books: a settlement, or one that went back.
// A test may spoil it, so that hospital and centre differ.
type entry struct {
	day, insutype, optins, setlID, mdtrtID, psnNo string
	total, fund, account                          int64
	back, absent                                  bool
}

// write books a settlement or its way back on the day of the centre's clock.
func (b *books) write(o *order, back bool) {
	e := &entry{day: b.s.Clock().Now().In(sim.Beijing).Format(time.DateOnly), insutype: o.insutype, optins: o.optins, setlID: o.setlID,
		mdtrtID: o.mdtrtID, psnNo: o.psnNo, total: o.split.total, fund: o.split.fund, account: o.split.account, back: back}
	if back {
		e.total, e.fund, e.account = -e.total, -e.fund, -e.account
	}
	b.entries = append(b.entries, e)
}

// asked is what a comparison is about.
type asked struct{ from, to, optins, insutype, refunds string }

func askedOf(m thing) asked {
	return asked{str(m, "stmt_begndate"), str(m, "stmt_enddate"), str(m, "setl_optins"), str(m, "insutype"), str(m, "refd_setl_flag")}
}

// of lists what the centre has booked.
func (b *books) of(a asked) (out []*entry) {
	for _, e := range b.entries {
		if !e.absent && e.day >= a.from && e.day <= a.to && e.optins == a.optins && (a.insutype == "" || e.insutype == a.insutype) &&
			(a.refunds != "0" || !e.back) {
			out = append(out, e)
		}
	}
	return out
}

var neededTotals = []string{"fixmedins_code", "clr_type", "setl_optins", "stmt_begndate", "stmt_enddate", "medfee_sumamt",
	"fund_pay_sumamt",
	"fixmedins_setl_cnt"}

// totals is 3201: it says whether the centre adds up to the same, and not to what.
func (s *Server) totals(m thing, _ sim.Fault) (thing, *refusal) {
	if r := lacks(m, append(slices.Clone(neededTotals), "insutype", "acct_pay")...); r != nil {
		return nil, r
	}
	if str(m, "fixmedins_code") != OrgCode || str(m, "clr_type") != "11" {
		return nil, noField.with("fixmedins_code或clr_type")
	}
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	var total, fund, account int64
	list := b.of(askedOf(m))
	for _, e := range list {
		total, fund, account = total+e.total, fund+e.fund, account+e.account
	}
	told := map[string]int64{"medfee_sumamt": total, "fund_pay_sumamt": fund, "acct_pay": account}
	rslt, words := s.settings.Get().StatementCode, ""
	for k, want := range told {
		if have, ok := signedFen(str(m, k)); !ok || have != want {
			words = "金额不一致"
		}
	}
	if str(m, "fixmedins_setl_cnt") != strconv.Itoa(len(list)) {
		words = "笔数不一致"
	}
	code := rslt + "0"
	switch count, _ := strconv.Atoi(str(m, "fixmedins_setl_cnt")); {
	case words == "":
		words = "对账成功"
	case count < len(list):
		code = rslt + "1"
	case count > len(list):
		code = rslt + "2"
	default:
		code = rslt + "3"
	}
	return thing{"setl_optins": str(m, "setl_optins"), "stmt_rslt": code, "stmt_rslt_dscr": words}, nil
}

// take is 9101: it keeps a file.
func (s *Server) take(m thing, _ sim.Fault) (thing, *refusal) {
	if r := lacks(m, "fixmedins_code", "filename", "in"); r != nil {
		return nil, r
	}
	file, err := base64.StdEncoding.DecodeString(str(m, "in"))
	if err != nil {
		return nil, noField.with("in不是base64")
	}
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	no := b.next("F")
	b.files[no] = file
	return thing{"file_qury_no": no, "filename": str(m, "filename"), "fixmedins_code": OrgCode}, nil
}

// detail is 3202: it compares a file line by line and keeps the result.
func (s *Server) detail(m thing, _ sim.Fault) (thing, *refusal) {
	if r := lacks(m, append(slices.Clone(neededTotals), "file_qury_no")...); r != nil {
		return nil, r
	}
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	file, known := b.files[str(m, "file_qury_no")]
	rows, err := uploaded(file)
	if !known || err != nil {
		return nil, noField.with("明细文件读不出")
	}
	out, err := packed("result.txt", b.compare(rows, b.of(askedOf(m)), s.settings.Get()))
	if err != nil {
		return nil, noField.with("结果文件")
	}
	no := b.next("Q")
	b.files[no] = out
	return thing{"file_qury_no": no, "filename": "result.zip", "dld_endtime": b.s.Clock().Now().AddDate(0, 0, 7).Format(time.DateTime)}, nil
}

// give is 9102.
func (s *Server) give(m thing, _ sim.Fault) (thing, *refusal) {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	file, known := s.books.files[str(m, "file_qury_no")]
	if !known {
		return nil, noField.with("没有这个文件")
	}
	return thing{"in": base64.StdEncoding.EncodeToString(file)}, nil
}

// uploaded reads seven cells a line: setl_id, mdtrt_id, psn_no, medfee_sumamt,
// fund_pay_sumamt, acct_pay, refd_setl_flag.
func uploaded(file []byte) (rows [][]string, err error) {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil || len(z.File) != 1 {
		return nil, fmt.Errorf("not a zip of one file: %v", err)
	}
	f, err := z.File[0].Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64<<20))
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, nil
	}
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, "\t")
		if len(cells) != 7 {
			return nil, fmt.Errorf("%d cells", len(cells))
		}
		rows = append(rows, cells)
	}
	return rows, nil
}

func packed(name, text string) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err != nil {
		return nil, err
	}
	if _, err = w.Write([]byte(text)); err == nil {
		err = z.Close()
	}
	return b.Bytes(), err
}

// compare writes ten cells a line: psn_no, mdtrt_id, setl_id, msgid, stmt_rslt,
// refd_setl_flag, memo, medfee_sumamt, fund_pay_sumamt, acct_pay.
func (b *books) compare(theirs [][]string, ours []*entry, set *Settings) string {
	have := map[string]*entry{}
	name := func(setl string, back bool) string { return setl + fmt.Sprint(back) }
	for _, e := range ours {
		have[name(e.setlID, e.back)] = e
	}
	var lines []string
	tell := func(e entry, code, memo string) {
		lines = append(lines, strings.Join([]string{e.psnNo, e.mdtrtID, e.setlID, "", set.StatementCode + code, map[bool]string{false: "0",
			true: "1"}[e.back],
			memo, sim.Yuan(e.total), sim.Yuan(e.fund), sim.Yuan(e.account)}, "\t"))
	}
	for _, c := range theirs {
		t := entry{setlID: c[0], mdtrtID: c[1], psnNo: c[2], back: c[6] == "1"}
		t.total, _ = signedFen(c[3])
		t.fund, _ = signedFen(c[4])
		t.account, _ = signedFen(c[5])
		e := have[name(t.setlID, t.back)]
		switch delete(have, name(t.setlID, t.back)); {
		case e == nil:
			tell(t, "2", "中心无此结算")
		case e.total != t.total || e.fund != t.fund || e.account != t.account:
			tell(*e, "3", "金额不一致")
		default:
			tell(*e, "0", "")
		}
	}
	var rest []*entry
	for _, e := range have {
		rest = append(rest, e)
	}
	slices.SortFunc(rest, func(a, b *entry) int { return cmp.Compare(a.setlID, b.setlID) })
	for _, e := range rest {
		tell(*e, "1", "机构无此结算")
	}
	return strings.Join(lines, "\n")
}

// spoil makes the centre's books say something else than what happened, so that they
// differ: ?absent=true, ?fund=FEN of a settlement (by any number of its order), or
// ?extra=FEN beside it.
func (s *Server) spoil(no string, q url.Values) error {
	return s.with(no, func(o *order) error {
		for _, e := range s.books.entries {
			if e.setlID != o.setlID || e.back {
				continue
			}
			e.absent = e.absent || q.Get("absent") == "true"
			if fen, err := strconv.ParseInt(q.Get("fund"), 10, 64); err == nil {
				e.fund = fen
			}
			if fen, err := strconv.ParseInt(q.Get("extra"), 10, 64); err == nil {
				x := *e
				x.setlID, x.mdtrtID, x.total, x.fund, x.account = s.books.next("S"), s.books.next("M"), fen, fen, 0
				s.books.entries = append(s.books.entries, &x)
			}
			return nil
		}
		return fmt.Errorf("order %s is not settled", no)
	})
}

// signedFen reads an amount that may stand below zero.
func signedFen(text string) (int64, bool) {
	plain, minus := strings.CutPrefix(text, "-")
	fen, ok := sim.Fen(plain)
	if minus {
		fen = -fen
	}
	return fen, ok
}
