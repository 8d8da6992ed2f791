package jobs

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"hospay/books"
	"hospay/calendar"
	"hospay/channels"
	"hospay/refund"
	"hospay/store"
)

const (
	statementWait  = 30 * time.Minute
	statementReady = 10                 // o'clock: bills of yesterday are there
	statementLast  = 18                 // o'clock: from then on once a day
	statementWeek  = 7 * 24 * time.Hour // then somebody has to bring the bill
	statementDays  = 31                 // how far back bills are asked for after an outage
	statementBatch = 20
)

// Statements fetches the bills of yesterday, of every channel and of HIS, and
// keeps the files with their hashes. A bill that is not ready is asked for
// again; a day without movement is recorded as empty; after a week a bill
// counts as missing.
func Statements(store *store.Store, books *books.Service, now func() time.Time) Job {
	s := statements{store: store, books: books, now: now}
	return Job{Name: "statements", Every: 10 * time.Minute, Run: s.run}
}

type statements struct {
	store *store.Store
	books *books.Service
	now   func() time.Time
}

func (s statements) run(ctx context.Context) (int, error) {
	if err := s.plan(ctx); err != nil {
		return 0, err
	}
	due, err := s.books.Due(ctx, statementBatch)
	if err != nil {
		return 0, err
	}
	for n, st := range due {
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
		if err := s.fetch(ctx, st); err != nil {
			return n, err
		}
	}
	return len(due), nil
}

// plan makes sure that every bill of the last days has its row, however long
// the program was away. A day that was planned before gets only the channels
// that orders turn out to have gone through: one that was switched on since has
// no part in it.
func (s statements) plan(ctx context.Context) error {
	insts, err := s.books.Institutions(ctx)
	if err != nil {
		return err
	}
	newest := s.now().In(calendar.Beijing).AddDate(0, 0, -1)
	if s.now().In(calendar.Beijing).Hour() < statementReady {
		newest = newest.AddDate(0, 0, -1)
	}
	day := func(back int) string { return newest.AddDate(0, 0, -back).Format(time.DateOnly) }
	for _, inst := range insts {
		first, err := s.books.FirstDay(ctx, inst)
		if err != nil {
			return err
		}
		known, err := s.books.Statements(ctx, inst, day(statementDays), day(0))
		if err != nil {
			return err
		}
		for back := 0; back < statementDays && day(back) >= first; back++ {
			planned := slices.ContainsFunc(known, func(st books.Statement) bool { return st.Day == day(back) && st.By == "" })
			if err := s.await(ctx, inst, day(back), back == 0 || !planned); err != nil {
				return err
			}
		}
	}
	return nil
}

// await asks for the bills of a day: HIS's, those of the channels that orders
// went through, and where it is fresh those of the channels in use.
func (s statements) await(ctx context.Context, inst, day string, fresh bool) error {
	if err := s.books.Await(ctx, inst, books.SourceHIS, "statement", day); err != nil {
		return err
	}
	through, err := s.books.Through(ctx, inst, day)
	if err != nil {
		return err
	}
	offers := s.store.OffersOf(ctx, inst, through)
	if fresh {
		inUse, err := s.store.Offers(ctx, inst)
		if err != nil {
			return err
		}
		offers = append(offers, inUse...)
	}
	for _, o := range offers {
		for _, kind := range o.Can.Bills {
			if err := s.books.Await(ctx, inst, o.Name, kind, day); err != nil {
				return err
			}
		}
	}
	return nil
}

// FetchDay asks for all bills of a day at once, once each. The demo uses it: it
// does not wait for the next morning.
func FetchDay(ctx context.Context, st *store.Store, svc *books.Service, inst, day string) error {
	s := statements{store: st, books: svc, now: svc.Clock}
	if err := s.await(ctx, inst, day, true); err != nil {
		return err
	}
	all, err := svc.Statements(ctx, inst, day, day)
	if err != nil {
		return err
	}
	for _, bill := range all {
		if bill.State == books.Waiting && !bill.Superseded {
			err = errors.Join(err, s.fetch(ctx, bill))
		}
	}
	return err
}

// next is when a bill is asked for again; zero when nobody asks any more.
func (s statements) next(st books.Statement) time.Time {
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
func (s statements) fetch(ctx context.Context, st books.Statement) error {
	dir, err := os.MkdirTemp("", "hospay-bill")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "bill")
	bill, err := s.download(ctx, st, path)
	next := s.next(st)
	switch {
	case errors.Is(err, channels.ErrBillEmpty):
		return s.books.Note(ctx, st, books.Empty, "", time.Time{})
	case err != nil && next.IsZero():
		return s.books.Note(ctx, st, books.Missing, err.Error(), next)
	case err != nil:
		return s.books.Note(ctx, st, books.Waiting, err.Error(), next)
	}
	_, err = s.books.Fetched(ctx, books.Incoming{Institution: st.Institution, Day: st.Day, Source: st.Source, Kind: st.Kind, Path: path,
		Name: bill.Name, Told: bill.Source, Next: next})
	return err
}

func (s statements) download(ctx context.Context, st books.Statement, path string) (channels.Bill, error) {
	out, err := os.Create(path)
	if err != nil {
		return channels.Bill{}, err
	}
	defer out.Close()
	if st.Source == books.SourceHIS {
		return s.writeHIS(ctx, st.Institution, st.Day, out)
	}
	conn, err := s.store.Connection(ctx, st.Institution, st.Source)
	if err != nil {
		return channels.Bill{}, err
	}
	bills, err := channels.As[channels.Bills](conn)
	if err != nil {
		return channels.Bill{}, err
	}
	return bills.DownloadBill(ctx, st.Day, channels.BillKind(st.Kind), out)
}

// writeHIS keeps HIS's lines in the form that `hospay reconcile` reads. HIS
// knows our orders by their own number, not by the channel's.
func (s statements) writeHIS(ctx context.Context, inst, day string, out io.Writer) (channels.Bill, error) {
	his, _, err := s.store.HIS(ctx, inst)
	if err != nil {
		return channels.Bill{}, err
	}
	sum := sha256.New()
	counted := &counter{w: io.MultiWriter(out, sum)}
	buf := bufio.NewWriter(counted)
	w := csv.NewWriter(buf)
	if err := w.Write([]string{"退款单号", "商户单号", "HIS退款流水号", "就诊卡号", "退款金额", "退款方式", "退款渠道", "状态", "退款时间"}); err != nil {
		return channels.Bill{}, err
	}
	lines := 0
	err = his.Statement(ctx, day, func(l refund.StatementLine) error {
		lines++
		amount, at := l.Amount.Yuan(), ""
		if !l.At.IsZero() {
			at = l.At.In(calendar.Beijing).Format(time.DateTime)
		}
		if l.Unread != "" && l.Amount == 0 { // left empty: the reader rejects this one line by its number
			amount = ""
		}
		return w.Write([]string{l.OrderNo, "", l.HISNo, l.CardNo, amount, string(l.Method), l.Channel, l.Status, at})
	})
	if err != nil {
		return channels.Bill{}, err
	}
	w.Flush()
	if err := errors.Join(w.Error(), buf.Flush()); err != nil {
		return channels.Bill{}, err
	}
	if lines == 0 {
		return channels.Bill{}, channels.ErrBillEmpty
	}
	return channels.Bill{Name: "his-" + day + ".csv", Hash: hex.EncodeToString(sum.Sum(nil)), Size: counted.n}, nil
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
