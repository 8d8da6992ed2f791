package books

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hospay/money"
	"hospay/payment"
	"hospay/reconcile"
	"hospay/reconcile/files"
)

// insuranceDay is what a day's run goes by.
type insuranceDay struct {
	day    string
	ours   []payment.SettledLine
	totals []files.CentreTotal
	lines  []files.CentreLine
	at     int64 // noon: settlements are compared by their day
}

// runInsurance compares a day's settlements with what the centre says of them. The
// centre is asked anew where our book has changed since, unless somebody has
// brought its answer.
func (s *Service) runInsurance(ctx context.Context, inst, day, by string) (Run, error) {
	started := s.now()
	if closed, err := monthClosed(s.App.ConcurrentDB(), inst, day); err != nil || closed {
		return Run{}, errors.Join(err, closedError(closed))
	}
	ours, _, err := s.settled(ctx, inst, day)
	if err != nil {
		return Run{}, err
	}
	bills, err := s.freshTotals(ctx, inst, day, ours)
	if err != nil {
		return Run{}, err
	}
	d := insuranceDay{day: day, ours: ours, at: dayNoon(day)}
	run := Run{ID: newID(), Institution: inst, Ledger: Insurance, Day: day, By: by}
	var missing []string
	if run.Books, missing, err = s.present(ctx, inst, Insurance, day, bills); err != nil {
		return run, err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, asked(ours), missing)
	rejects := 0
	for _, st := range bills {
		fmt.Fprintln(sum, st.ID, st.SHA256, st.State)
		run.Files = append(run.Files, usedFile{st.ID, st.Source, st.Kind, st.Day, st.Form, st.SHA256, st.Lines, st.Rejects})
		totals, e1 := s.readTotals(ctx, only(st, kindTotals))
		lines, e2 := s.readDetail(ctx, only(st, kindDetail))
		if err := errors.Join(e1, e2); err != nil {
			return run, err
		}
		d.totals, d.lines, rejects = append(d.totals, totals...), append(d.lines, lines...), rejects+st.Rejects
	}
	run.Inputs = hex.EncodeToString(sum.Sum(nil))
	last, err := s.LastRun(ctx, inst, Insurance, day)
	if err != nil && !errors.Is(err, ErrNoRun) {
		return last, err
	}
	if err == nil && last.Inputs == run.Inputs {
		s.looked.Store(inst+string(Insurance)+day, s.Today())
		return last, nil
	}
	run.Seq = last.Seq + 1
	all := d.orders(len(missing) == 0)
	found := slices.DeleteFunc(slices.Clone(all), func(o reconcile.Order) bool { return o.Kind == reconcile.None })
	run.insured(d, all, found, missing, rejects)
	return s.save(ctx, run, found, func(yield func(reconcile.Order) error) error {
		for _, o := range all {
			if err := yield(o); err != nil {
				return err
			}
		}
		return nil
	}, started)
}

// only is a bill where it is of a kind; else one that holds nothing.
func only(st Statement, kind string) Statement {
	if st.Kind != kind {
		return Statement{}
	}
	return st
}

// freshTotals are the centre's answers to what our book says now.
func (s *Service) freshTotals(ctx context.Context, inst, day string, ours []payment.SettledLine) ([]Statement, error) {
	for _, kind := range []string{kindTotals, kindDetail} {
		st, err := s.current(ctx, Statement{Institution: inst, Source: SourceCentre, Kind: kind, Day: day})
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return nil, err
		case st.By != "" || st.Told == asked(ours) || !st.usable() || st.State == Empty && len(ours) == 0:
			continue
		}
		if err := s.fetch(ctx, st); err != nil {
			return nil, fmt.Errorf("医保中心没有重新回答：%w", err)
		}
	}
	return s.inForce(ctx, inst, Insurance, day, day)
}

// orders are all settlements, and those that only the centre has, each with what
// the centre says. judged is false where its answers are not all there.
func (d insuranceDay) orders(judged bool) (out []reconcile.Order) {
	used := map[int]bool{}
	for _, x := range d.ours {
		o := reconcile.Order{OrderNo: x.No, BillNo: nameOf(x.SetlID, x.Back), HISNo: x.MdtrtID}
		o.Books[reconcile.Platform] = d.entry(x.Fund+x.Account, x.Clearing)
		i := slices.IndexFunc(d.lines, func(l files.CentreLine) bool { return l.SetlID == x.SetlID && l.Back == x.Back })
		switch {
		case i >= 0:
			used[i] = true
			d.judge(&o, x, d.lines[i])
		case d.same(x.Clearing):
			o.Books[reconcile.Channel] = o.Books[reconcile.Platform]
		}
		out = append(out, o)
	}
	for i, l := range d.lines {
		if used[i] || payment.LastDigit(l.Rslt) == '0' {
			continue
		}
		o := reconcile.Order{BillNo: nameOf(l.SetlID, l.Back), HISNo: l.MdtrtID, Kind: reconcile.OnlyChannel, Gap: 0,
			Explain: told("医保中心有这笔结算，本院没有", l) + "：多半是付了医保而本院没有记成（参见挂账、结算回写），请按结算号在 HIS 和医保平台查明，补记或在中心撤销。"}
		o.Books[reconcile.Channel] = d.entry(l.Fund+l.Account, payment.Clearing{})
		out = append(out, o)
	}
	if judged {
		out = append(out, d.unexplained(out)...)
	}
	return out
}

// nameOf names a settlement, or its way back, among those of a day.
func nameOf(setlID string, back bool) string {
	if back {
		return setlID + "-退"
	}
	return setlID
}

func (d insuranceDay) entry(amount money.Fen, c payment.Clearing) *reconcile.Entry {
	channel := ""
	if c.Optins != "" {
		channel = c.Optins + "/" + c.Type
	}
	return &reconcile.Entry{Count: 1, Amount: max(amount, -amount), Status: reconcile.Succeeded, At: d.at, Channel: channel,
		Method: c.Insutype,
		OnDay:  reconcile.Sum{Count: 1, Amount: max(amount, -amount)}}
}

// judge takes the centre's word of a settlement of ours, by the last digit of its
// code. What no digit explains is no match.
func (d insuranceDay) judge(o *reconcile.Order, x payment.SettledLine, l files.CentreLine) {
	theirs := d.entry(l.Fund+l.Account, x.Clearing)
	switch payment.LastDigit(l.Rslt) {
	case '0':
		o.Books[reconcile.Channel] = theirs
	case '2':
		o.Kind, o.Explain = reconcile.OnlyPlatform, told("本院有这笔结算，医保中心没有", l)+
			"：可能退费或撤销没有传到，或结算没有成功。请在医保平台按结算号查明；没有结算的，这部分钱医保不会付，须补结算或向患者说明后退费重结。"
	case '3':
		o.Books[reconcile.Channel] = theirs
		o.Kind, o.Explain = reconcile.Amount, fmt.Sprintf("%s：本院 %s，中心 %s（基金加个人账户）。以中心的结算为准查明，更正记错的一方。", told("数据不一致", l),
			x.Fund+x.Account, money.Fen(max(l.Fund+l.Account, -l.Fund-l.Account)))
	case '1':
		o.Books[reconcile.Channel] = theirs
		o.Kind, o.Explain = reconcile.State, told("医保中心说本院没有这笔，而本院有", l)+"：请按结算号核对两边的金额和状态。"
	default:
		o.Kind, o.Explain = reconcile.State, told("医保中心的结果代码无法识别，当作没有对上", l)+"：请看中心的说明，或向中心询问。"
	}
}

// told is a finding with what the centre has written.
func told(words string, l files.CentreLine) string {
	words += "（结果 " + l.Rslt
	if l.Memo != "" {
		words += "，" + l.Memo
	}
	return words + "）"
}

// same reports whether the centre has found the totals of a clearing the same.
func (d insuranceDay) same(c payment.Clearing) bool {
	return slices.ContainsFunc(d.totals, func(t files.CentreTotal) bool {
		return t.Optins == c.Optins && t.Type == c.Type && t.Insutype == c.Insutype && payment.Agrees(t.Rslt)
	})
}

// unexplained are the totals that differ although no settlement does, by the
// detail, or that have no detail.
func (d insuranceDay) unexplained(found []reconcile.Order) (out []reconcile.Order) {
	for _, t := range d.totals {
		channel := t.Optins + "/" + t.Type
		if payment.Agrees(t.Rslt) || slices.ContainsFunc(found, func(o reconcile.Order) bool {
			p := o.Books[reconcile.Platform]
			return o.Kind != reconcile.None && (p == nil || p.Channel == channel && p.Method == t.Insutype)
		}) {
			continue
		}
		o := reconcile.Order{BillNo: strings.Join([]string{"总账", t.Optins, t.Type, t.Insutype}, "/"), Kind: reconcile.State,
			Explain: fmt.Sprintf("险种 %s、清算类别 %s、清算机构 %s 的总账与医保中心不符（结果 %s，%s）：本院 %d 笔，医疗费 %s，基金 %s，个人账户 %s；明细没有找出哪一笔。请上传中心的明细结果，或向中心询问。",
				t.Insutype, t.Type, t.Optins, t.Rslt, t.Words, t.Count, t.Total, t.Fund, t.Account)}
		o.Books[reconcile.Platform] = d.entry(t.Fund+t.Account, payment.Clearing{Insutype: t.Insutype, Type: t.Type, Optins: t.Optins})
		out = append(out, o)
	}
	return out
}

// insured takes the figures of a day.
func (r *Run) insured(d insuranceDay, all, found []reconcile.Order, missing []string, rejects int) {
	sum := RunSummary{Orders: len(all), Matched: len(all) - len(found), Rejects: rejects, Aside: map[string]reconcile.Sum{}, Missing: missing,
		Channels: []ChannelRow{}}
	put := func(book string, s reconcile.Sum) {
		b := r.Books[book]
		b.Count, b.Amount = b.Count+s.Count, b.Amount+s.Amount
		r.Books[book] = b
	}
	for _, o := range all {
		p, c := o.Books[reconcile.Platform], o.Books[reconcile.Channel]
		if strings.HasPrefix(o.BillNo, "总账/") {
			r.row(&sum, p).Differences++
			continue
		}
		row := r.row(&sum, cmpEntry(p, c))
		for _, side := range []struct {
			e    *reconcile.Entry
			to   *reconcile.Sum
			book string
		}{{p, &row.Platform, "platform"}, {c, &row.Bill, SourceCentre}} {
			if side.e == nil {
				continue
			}
			one := reconcile.Sum{Count: 1, Amount: side.e.Amount}
			if strings.HasSuffix(o.BillNo, "-退") {
				one.Amount = -one.Amount
			}
			side.to.Count, side.to.Amount = side.to.Count+1, side.to.Amount+one.Amount
			put(side.book, one)
		}
		if o.Kind != reconcile.None {
			row.Differences++
		}
	}
	r.Summary.V = sum
	switch {
	case len(missing) > 0:
		r.State = Incomplete
	case len(found) > 0 || rejects > 0:
		r.State = HasDifferences
	default:
		r.State = Balanced
	}
}

func cmpEntry(a, b *reconcile.Entry) *reconcile.Entry {
	if a != nil {
		return a
	}
	return b
}

// row is that of a clearing.
func (r *Run) row(sum *RunSummary, e *reconcile.Entry) *ChannelRow {
	i := slices.IndexFunc(sum.Channels, func(c ChannelRow) bool { return c.Channel == e.Channel && c.Method == e.Method })
	if i < 0 {
		i = len(sum.Channels)
		sum.Channels = append(sum.Channels, ChannelRow{Channel: e.Channel, Method: e.Method})
	}
	return &sum.Channels[i]
}
