package books

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/channels"
	"hospay/flow"
	"hospay/payment"
	"hospay/reconcile"
	"hospay/reconcile/files"
	"hospay/refund"
)

const (
	statementWait  = 30 * time.Minute
	statementReady = 10                 // o'clock: bills of yesterday are there
	statementLast  = 18                 // o'clock: from then on once a day
	statementWeek  = 7 * 24 * time.Hour // then somebody has to bring the bill
	statementDays  = 31                 // how far back bills are asked for after an outage
	statementBatch = 20
)

// FetchDue fetches the bills of yesterday, of every channel and of HIS, and
// keeps the files with their hashes. A bill that is not ready is asked for
// again; a day without movement is recorded as empty; after a week a bill
// counts as missing. What is broken at one institution or channel is named in
// the error and stops no other.
func (s *Service) FetchDue(ctx context.Context) (n int, err error) {
	err = s.plan(ctx)
	due, e := s.Due(ctx, statementBatch)
	err = errors.Join(err, e)
	for _, st := range due {
		if ctx.Err() != nil {
			return n, errors.Join(err, ctx.Err())
		}
		if e := s.fetch(ctx, st); e != nil {
			err = errors.Join(err, fmt.Errorf("机构 %s 的账单 %s %s %s：%w", st.Institution, st.Source, st.Kind, st.Day, e))
			continue
		}
		n++
	}
	return n, err
}

// plan makes sure that every bill of the last days has its row, however long
// the program was away. A day that was planned before gets only the channels
// that orders turn out to have gone through: one that was switched on since has
// no part in it.
func (s *Service) plan(ctx context.Context) error {
	insts, err := s.Institutions(ctx)
	if err != nil {
		return err
	}
	newest := s.now().In(calendar.Beijing).AddDate(0, 0, -1)
	if s.now().In(calendar.Beijing).Hour() < statementReady {
		newest = newest.AddDate(0, 0, -1)
	}
	day := func(back int) string { return newest.AddDate(0, 0, -back).Format(time.DateOnly) }
	for _, inst := range insts {
		if e := s.planOne(ctx, inst, day); e != nil {
			err = errors.Join(err, fmt.Errorf("机构 %s：%w", inst, e))
		}
	}
	return err
}

func (s *Service) planOne(ctx context.Context, inst string, day func(back int) string) error {
	first, err := s.FirstDay(ctx, inst)
	if err != nil {
		return err
	}
	known, err := s.Statements(ctx, inst, day(statementDays), day(0))
	if err != nil {
		return err
	}
	for back := 0; back < statementDays && day(back) >= first; back++ {
		planned := slices.ContainsFunc(known, func(st Statement) bool { return st.Day == day(back) && st.By == "" })
		if e := s.await(ctx, inst, day(back), back == 0 || !planned); e != nil && err == nil { // one day tells of all
			err = e
		}
	}
	return err
}

// await asks for the bills of a day: HIS's, those of the channels that orders
// went through, and where it is fresh those of the channels in use.
func (s *Service) await(ctx context.Context, inst, day string, fresh bool) error {
	if err := s.Await(ctx, inst, SourceHIS, "statement", day, ""); err != nil {
		return err
	}
	former := errors.Join(s.awaitFormer(ctx, inst, day), s.awaitPayments(ctx, inst, day))
	through, err := s.Through(ctx, inst, Deposits, day)
	if err != nil {
		return err
	}
	paid, err := s.Through(ctx, inst, Payments, day)
	if err != nil {
		return err
	}
	through = slices.Compact(slices.Sorted(slices.Values(append(through, paid...))))
	offers, broken := s.Store.OffersOf(ctx, inst, through)
	if fresh {
		inUse, err := s.Store.Offers(ctx, inst)
		offers, broken = append(offers, inUse...), errors.Join(broken, err)
	}
	for _, o := range offers {
		for _, kind := range o.Can.Bills {
			if err := s.Await(ctx, inst, o.Name, kind, day, ""); err != nil {
				return err
			}
		}
	}
	return errors.Join(broken, former)
}

// awaitPayments asks for the bills that only the ledgers of payments read: HIS's
// list where it gives one, and the centre's totals.
func (s *Service) awaitPayments(ctx context.Context, inst, day string) error {
	used, err := s.inUse(ctx, inst, day)
	if err != nil {
		return err
	}
	if slices.Contains(used, Payments) {
		his, e := s.Store.Payments().HIS(ctx, inst)
		if err = e; e == nil && his.Can().Charges {
			err = s.Await(ctx, inst, SourceHIS, kindCharges, day, "")
		}
	}
	if slices.Contains(used, Insurance) {
		err = errors.Join(err, s.Await(ctx, inst, SourceCentre, kindTotals, day, ""))
	}
	return err
}

// awaitFormer asks a former merchant, or a former HIS, for its bills of a day as
// long as what went through it may still move: both books together show what
// was paid twice.
func (s *Service) awaitFormer(ctx context.Context, inst, day string) error {
	all, err := s.Store.FormerOn(ctx, inst, day)
	if err != nil {
		return err
	}
	for _, c := range all {
		kinds := []string{"statement"}
		if c.Name != SourceHIS {
			conn, e := s.Store.ConnectionOf(ctx, c.ID)
			if e != nil {
				err = errors.Join(err, e)
				continue
			}
			kinds = conn.Capabilities().Bills
		}
		for _, kind := range kinds {
			err = errors.Join(err, s.Await(ctx, inst, c.Name, kind, day, c.ID))
		}
	}
	return err
}

// through is the connection that a bill comes from.
func (s *Service) through(ctx context.Context, st Statement) (string, error) {
	if st.Connection != "" {
		return st.Connection, nil
	}
	return s.Store.InForceOn(ctx, st.Institution, st.Source, st.Day)
}

// FetchDay asks for all bills of a day at once, once each. The demo uses it: it
// does not wait for the next morning.
func (s *Service) FetchDay(ctx context.Context, inst, day string) error {
	broken := s.await(ctx, inst, day, true)
	all, err := s.Statements(ctx, inst, day, day)
	if err = errors.Join(broken, err); err != nil && len(all) == 0 {
		return err
	}
	for _, bill := range all {
		if bill.State == Waiting && !bill.Superseded {
			err = errors.Join(err, s.fetch(ctx, bill))
		}
	}
	detail, e := s.current(ctx, Statement{Institution: inst, Source: SourceCentre, Kind: kindDetail, Day: day})
	if e == nil && detail.State == Waiting {
		err = errors.Join(err, s.fetch(ctx, detail))
	}
	return err
}

// next is when a bill is asked for again; zero when nobody asks any more.
func (s *Service) nextAsk(st Statement) time.Time {
	now := s.now().In(calendar.Beijing)
	if now.After(st.Created.Time().Add(statementWeek)) {
		return time.Time{}
	}
	at := time.Date(now.Year(), now.Month(), now.Day(), statementReady, 0, 0, 0, calendar.Beijing)
	switch {
	case now.Before(at):
		return at
	case now.Hour() < statementLast:
		return now.Add(statementWait)
	}
	return at.AddDate(0, 0, 1)
}

// fetch downloads one bill into a temporary file, so that its size does not
// matter, and keeps it once it has been read from end to end.
func (s *Service) fetch(ctx context.Context, st Statement) error {
	dir, err := s.Store.TempDir()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "bill")
	bill, err := s.download(ctx, st, path)
	next := s.nextAsk(st)
	switch {
	case errors.Is(err, channels.ErrBillEmpty):
		return s.Note(ctx, st, Empty, "", time.Time{})
	case err != nil:
		state := Waiting
		if next.IsZero() {
			state = Missing
		}
		noted := s.Note(ctx, st, state, flow.WordsOf(err), next)
		if flow.Broken(err) { // is told as the job's failure, too; what is only not there yet is not
			return errors.Join(err, noted)
		}
		return noted
	}
	kept, err := s.Fetched(ctx, Incoming{Institution: st.Institution, Day: st.Day, Source: st.Source, Kind: st.Kind, Connection: st.Connection,
		Path: path, Name: bill.Name, Told: bill.Source, Next: next})
	if err == nil && kept.Source == SourceCentre && kept.Kind == kindTotals {
		err = s.wantDetail(ctx, kept)
	}
	return err
}

func (s *Service) download(ctx context.Context, st Statement, path string) (channels.Bill, error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return channels.Bill{}, err
	}
	defer out.Close()
	switch st.Source {
	case SourceHIS:
		return s.writeHIS(ctx, st, out)
	case SourceCentre:
		return s.askCentre(ctx, st, out)
	}
	through, err := s.through(ctx, st)
	if err != nil {
		return channels.Bill{}, err
	}
	conn, err := s.Store.ConnectionOf(ctx, through)
	if err != nil {
		return channels.Bill{}, err
	}
	bills, err := channels.As[channels.Bills](conn)
	if err != nil {
		return channels.Bill{}, err
	}
	return bills.DownloadBill(ctx, st.Day, channels.BillKind(st.Kind), out)
}

// writeHIS keeps HIS's lines in the form that `hospay reconcile` reads.
func (s *Service) writeHIS(ctx context.Context, st Statement, out io.Writer) (channels.Bill, error) {
	through, err := s.through(ctx, st)
	if err != nil {
		return channels.Bill{}, err
	}
	sum := sha256.New()
	counted := &counter{w: io.MultiWriter(out, sum)}
	buf := bufio.NewWriter(counted)
	table, err := files.NewHISTable(buf, st.Kind == kindCharges)
	if err != nil {
		return channels.Bill{}, err
	}
	lines := 0
	err = s.hisLines(ctx, through, st, func(l files.HISLine) error {
		lines++
		return table.Write(l)
	})
	if err != nil {
		return channels.Bill{}, err
	}
	if err := errors.Join(table.Flush(), buf.Flush()); err != nil {
		return channels.Bill{}, err
	}
	if lines == 0 {
		return channels.Bill{}, channels.ErrBillEmpty
	}
	name := "his-"
	if st.Kind == kindCharges {
		name = "his-charges-"
	}
	return channels.Bill{Name: name + st.Day + ".csv", Hash: hex.EncodeToString(sum.Sum(nil)), Size: counted.n}, nil
}

// hisLines asks HIS for the lines of a statement.
func (s *Service) hisLines(ctx context.Context, through string, st Statement, each func(files.HISLine) error) error {
	if st.Kind != kindCharges {
		his, _, err := s.Store.HISOf(ctx, through)
		if err != nil {
			return err
		}
		return his.Statement(ctx, st.Day, func(l refund.StatementLine) error {
			return each(files.HISLine{OrderNo: l.OrderNo, HISNo: l.HISNo, CardNo: l.CardNo, Amount: l.Amount, Method: string(l.Method),
				Channel: l.Channel, Status: l.Status, At: l.At, Unread: l.Unread != ""})
		})
	}
	his, err := s.Store.Payments().HISOf(ctx, through)
	if err != nil {
		return err
	}
	return his.Charges(ctx, st.Day, func(l payment.ChargeLine) error {
		line := files.HISLine{OrderNo: cmp.Or(l.RefundNo, l.OrderNo), BillNo: l.TradeNo, HISNo: l.HISNo, CardNo: l.CardNo, Amount: l.Cash,
			Method: reconcile.MethodPay, Channel: l.Channel, Status: l.Status, At: l.At, Unread: l.Unread != ""}
		if l.Back {
			line.Method, line.BillNo = reconcile.MethodBack, ""
		}
		return each(line)
	})
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
