package books

import (
	"archive/zip"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"hospay/channels"
	"hospay/flow"
	"hospay/payment"
	"hospay/reconcile/files"
)

// The insurance's part is compared with the centre. 3201 says for each clearing
// whether its totals are ours; where they are not, 3202 says it of every
// settlement. The answers are kept as bills of the source centre.

// centreBooks is the institution's way to its centre's books; nil where the centre
// has none, or none is configured.
func (s *Service) centreBooks(ctx context.Context, inst string) (payment.CentreBooks, error) {
	c, err := s.Store.Payments().Centre(ctx, inst)
	if flow.CodeOf(err) == payment.CodeInsuranceOff {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if b, ok := c.(payment.CentreBooks); ok && b.BookHabits().Totals {
		return b, nil
	}
	return nil, nil
}

// insuranceOn reports whether an institution compares with its centre. One whose
// connection is broken does, and its bill says so.
func (s *Service) insuranceOn(ctx context.Context, inst string) bool {
	b, err := s.centreBooks(ctx, inst)
	return b != nil || err != nil
}

// settled are the settlements of a day by our book, with the centre's habits.
func (s *Service) settled(ctx context.Context, inst, day string) ([]payment.SettledLine, payment.CentreBooks, error) {
	b, err := s.centreBooks(ctx, inst)
	if err != nil || b == nil {
		return nil, b, errors.Join(err, offError(b))
	}
	all, err := s.Store.Payments().SettledOn(ctx, inst, day, b.BookHabits())
	if !b.BookHabits().WithRefunds {
		all = slices.DeleteFunc(all, func(x payment.SettledLine) bool { return x.Back })
	}
	return all, b, err
}

func offError(b payment.CentreBooks) error {
	if b == nil {
		return flow.NewError(payment.CodeInsuranceOff, "")
	}
	return nil
}

// groups adds up settlements by their clearing; wide leaves the insurance out, as
// 3202 does.
func groups(all []payment.SettledLine, day string, wide bool) []payment.Totals {
	var out []payment.Totals
	for _, x := range all {
		c := x.Clearing
		if wide {
			c.Insutype = ""
		}
		i := slices.IndexFunc(out, func(t payment.Totals) bool { return t.Clearing == c })
		if i < 0 {
			i = len(out)
			out = append(out, payment.Totals{Clearing: c, Day: day})
		}
		out[i].Add(x)
	}
	slices.SortFunc(out, func(a, b payment.Totals) int {
		return cmp.Or(cmp.Compare(a.Optins, b.Optins), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Insutype, b.Insutype))
	})
	return out
}

// askCentre asks the centre for a day and writes down what it says.
func (s *Service) askCentre(ctx context.Context, st Statement, out io.Writer) (channels.Bill, error) {
	all, b, err := s.settled(ctx, st.Institution, st.Day)
	if err != nil {
		return channels.Bill{}, err
	}
	if len(all) == 0 && st.Kind == kindTotals {
		return channels.Bill{}, channels.ErrBillEmpty
	}
	sum := sha256.New()
	to := io.MultiWriter(out, sum)
	name := "3201-" + st.Day + ".csv"
	if st.Kind == kindDetail {
		name = "3202-" + st.Day + ".zip"
		err = s.askDetail(ctx, b, st, all, to)
	} else {
		err = askTotals(ctx, b, groups(all, st.Day, false), to)
	}
	return channels.Bill{Name: name, Hash: hex.EncodeToString(sum.Sum(nil)), Source: asked(all)}, err
}

// asked is the sum of what the centre was asked about: once our book says something
// else, it is asked anew.
func asked(all []payment.SettledLine) string {
	sum := sha256.New()
	if err := json.NewEncoder(sum).Encode(all); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

func askTotals(ctx context.Context, b payment.CentreBooks, all []payment.Totals, out io.Writer) error {
	var told []files.CentreTotal
	for _, t := range all {
		c := b.Totals(ctx, t)
		if c.Verdict != flow.Done {
			return centreError("3201", c.Reason)
		}
		told = append(told, files.CentreTotal{Insutype: t.Insutype, Type: t.Type, Optins: t.Optins, Count: t.Count, Total: t.Total, Fund: t.Fund,
			Account: t.Account, Rslt: c.Rslt, Words: clip(c.Words, 200)})
	}
	return files.WriteTotals(out, told)
}

// centreError is the error of a call that has proved nothing.
func centreError(call string, r flow.Reason) error {
	return flow.NewError(payment.CodeCentreUnavailable, call+"："+r.String())
}

// askDetail asks for the settlements of the clearings whose totals differ.
func (s *Service) askDetail(ctx context.Context, b payment.CentreBooks, st Statement, all []payment.SettledLine, out io.Writer) error {
	totals, err := s.current(ctx, Statement{Institution: st.Institution, Source: SourceCentre, Kind: kindTotals, Day: st.Day})
	if err != nil {
		return err
	}
	told, err := s.readTotals(ctx, totals)
	if err != nil {
		return err
	}
	z := zip.NewWriter(out)
	for _, t := range groups(all, st.Day, true) {
		if !slices.ContainsFunc(told, func(x files.CentreTotal) bool {
			return x.Optins == t.Optins && x.Type == t.Type && !payment.Agrees(x.Rslt)
		}) {
			continue
		}
		var lines []payment.SettledLine
		for _, x := range all {
			if x.Optins == t.Optins && x.Type == t.Type {
				lines = append(lines, x)
			}
		}
		file, r := b.Detail(ctx, t, lines)
		if r.Verdict != flow.Done {
			return centreError("3202", r.Reason)
		}
		if err := addFiles(z, t.Optins+"-"+t.Type, file); err != nil {
			return err
		}
	}
	return z.Close()
}

// addFiles puts the texts of a result file into the day's one.
func addFiles(z *zip.Writer, name string, file []byte) error {
	texts, err := files.DetailTexts(name, file)
	for i, text := range texts {
		w, e := z.Create(fmt.Sprintf("%s-%d.txt", name, i+1))
		if e == nil {
			_, e = io.WriteString(w, text)
		}
		err = errors.Join(err, e)
	}
	return err
}

func (s *Service) readTotals(ctx context.Context, st Statement) (all []files.CentreTotal, err error) {
	if st.State != Ready {
		return nil, nil
	}
	err = s.local(ctx, st, func(f files.File, _ string) (err error) {
		all, _, err = files.ReadTotals(f)
		return err
	})
	return all, err
}

func (s *Service) readDetail(ctx context.Context, st Statement) (all []files.CentreLine, err error) {
	if st.State != Ready {
		return nil, nil
	}
	err = s.local(ctx, st, func(f files.File, _ string) error {
		_, err := files.ReadDetail(f, func(l files.CentreLine) error {
			all = append(all, l)
			return nil
		}, func(files.Reject) error { return nil })
		return err
	})
	return all, err
}

// wantDetail asks for the detail of totals that differ, where the centre gives it.
func (s *Service) wantDetail(ctx context.Context, st Statement) error {
	all, err := s.readTotals(ctx, st)
	if err != nil || !slices.ContainsFunc(all, func(t files.CentreTotal) bool { return !payment.Agrees(t.Rslt) }) {
		return err
	}
	b, err := s.centreBooks(ctx, st.Institution)
	if err != nil || b == nil || !b.BookHabits().Detail {
		return err
	}
	return s.Await(ctx, st.Institution, SourceCentre, kindDetail, st.Day, "")
}
