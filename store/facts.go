package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/internal/vault"
	"hospay/money"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Facts gathers what the automatic review looks at.
func (s *Store) Facts(ctx context.Context, o refund.Order, _ time.Time) (refund.Facts, error) {
	f := refund.Facts{Amount: o.Amount, PayeeName: o.Payee.Name, Applied: o.Created, Proxy: o.Proxy != ""}
	owner, payee, err := s.parties(ctx, o)
	if err != nil {
		return f, err
	}
	card, err := s.Card(ctx, owner, o.CardNo)
	if err != nil {
		return f, err
	}
	if card != nil {
		f.CardName, f.CardIssued = card.Name, card.IssuedAt
		for _, d := range card.Deposits {
			if d.Payment.PaidAt.After(f.LastTopUp) {
				f.LastTopUp = d.Payment.PaidAt
			}
		}
	}
	if payee != "" {
		f.CardName = payee
	}
	if f.OrdersToday, err = s.OrdersToday(ctx, o.Created, o.Patient, owner); err != nil {
		return f, err
	}
	f.PayeeCards, err = s.payeeCards(ctx, o)
	return f, err
}

// parties names the owner of an order's card, and, where that is not the
// owner, the real name of whoever a transfer by proxy pays.
func (s *Store) parties(ctx context.Context, o refund.Order) (owner, payee string, err error) {
	if o.Proxy == "" {
		return o.Patient, "", nil
	}
	p, err := s.Proxy(ctx, o.Proxy)
	if err != nil || o.Method != refund.MethodTransfer {
		return p.Principal, "", err
	}
	inst, err := s.Institution(ctx, o.Institution)
	if err != nil || p.Case.Payee(inst.Proxy.Payee) != refund.PayAgent {
		return p.Principal, "", err
	}
	payee, err = s.RealName(ctx, p.Agent)
	return p.Principal, payee, err
}

// OrdersToday counts the orders of the Beijing day of t that a patient has
// made, for whomever, or that others have made for the patient; of several
// patients the highest number.
func (s *Store) OrdersToday(ctx context.Context, t time.Time, patients ...string) (int, error) {
	b := t.In(calendar.Beijing)
	from := time.Date(b.Year(), b.Month(), b.Day(), 0, 0, 0, 0, calendar.Beijing)
	most := 0
	for _, p := range patients {
		var n int
		err := s.app.ConcurrentDB().NewQuery(`SELECT
			(SELECT COUNT(*) FROM refund_orders WHERE patient = {:p} AND created >= {:from} AND created < {:to} AND compensates = '') +
			(SELECT COUNT(*) FROM refund_orders WHERE proxy_application != '' AND proxy_application IN (SELECT id FROM proxy_applications WHERE
			principal = {:p})
				AND patient != {:p} AND created >= {:from} AND created < {:to} AND compensates = '')`).
			Bind(dbx.Params{"p": p, "from": stamp(from), "to": stamp(from.AddDate(0, 0, 1))}).WithContext(ctx).Row(&n)
		if err != nil {
			return 0, err
		}
		most = max(most, n)
	}
	return most, nil
}

func (s *Store) payeeCards(ctx context.Context, o refund.Order) (int, error) {
	if o.Payee.Account == "" {
		return 1, nil
	}
	var n int
	err := s.app.ConcurrentDB().NewQuery(`SELECT COUNT(DISTINCT card_no) FROM refund_orders WHERE payee_index = {:x} AND payee_index != ''`).
		Bind(dbx.Params{"x": s.PayeeIndex(o.Payee.Account)}).WithContext(ctx).Row(&n)
	return n, err
}

// PayeeIndex is the blind index of a payee account.
func (s *Store) PayeeIndex(account string) string { return s.vault.Index("payee", account) }

// ActiveElsewhere reports whether a card has an active order outside a group.
func (s *Store) ActiveElsewhere(ctx context.Context, institution, cardNo, group string) (bool, error) {
	var n int
	err := s.app.ConcurrentDB().NewQuery(`SELECT COUNT(*) FROM refund_orders WHERE institution = {:inst} AND card_no = {:card} AND
	compensates = ''
		AND status NOT IN (` + collections.Finals(refund.Machine) + `) AND (` + "`group`" + ` != {:group} OR ` + "`group`" + ` = '')`).
		Bind(dbx.Params{"inst": institution, "card": cardNo, "group": group}).WithContext(ctx).Row(&n)
	return n > 0, err
}

// GroupSize counts the orders of a group of a card.
func (s *Store) GroupSize(ctx context.Context, patient, group string) (int, error) {
	var n int
	err := s.app.DB().NewQuery("SELECT COUNT(*) FROM refund_orders WHERE patient = {:p} AND `group` = {:g} AND `group` != ''").
		Bind(dbx.Params{"p": patient, "g": group}).WithContext(ctx).Row(&n)
	return n, err
}

// Card returns a patient's card as HIS told it last, or nil.
func (s *Store) Card(ctx context.Context, patient, cardNo string) (*refund.Card, error) {
	cards, err := s.cards(ctx, dbx.HashExp{"patient": patient, "card_no": cardNo})
	if err != nil || len(cards) == 0 {
		return nil, err
	}
	return &cards[0].Card, nil
}

// Cards returns a patient's cards as HIS told them last.
func (s *Store) Cards(ctx context.Context, patient string) ([]refund.KnownCard, error) {
	return s.cards(ctx, dbx.HashExp{"patient": patient})
}

func (s *Store) cards(ctx context.Context, where dbx.Expression) ([]refund.KnownCard, error) {
	var rows []struct {
		ID         string         `db:"id"`
		No         string         `db:"card_no"`
		Name       string         `db:"card_name_sealed"`
		Balance    int64          `db:"balance"`
		Refundable int64          `db:"refundable"`
		IssuedAt   types.DateTime `db:"issued_at"`
		AsOf       types.DateTime `db:"as_of"`
		Deposits   types.JSONRaw  `db:"deposits"`
	}
	if err := s.app.ConcurrentDB().Select("*").From(collections.PatientCards).Where(where).OrderBy("card_no").WithContext(ctx).
		All(&rows); err != nil {
		return nil, err
	}
	out := make([]refund.KnownCard, 0, len(rows))
	for _, r := range rows {
		name, err := s.vault.Open(vault.Place(collections.PatientCards, "card_name", r.ID), r.Name)
		if err != nil {
			return nil, err
		}
		c := refund.Card{No: r.No, Name: name, Balance: money.Fen(r.Balance), Refundable: money.Fen(r.Refundable), IssuedAt: r.IssuedAt.Time()}
		if err := json.Unmarshal(r.Deposits, &c.Deposits); err != nil {
			return nil, err
		}
		out = append(out, refund.KnownCard{Card: c, AsOf: r.AsOf.Time()})
	}
	return out, nil
}

// SaveCards replaces what is known of a patient's cards. Cards that HIS no
// longer lists are forgotten; orders keep their own copy of the number.
func (s *Store) SaveCards(ctx context.Context, patient string, cards []refund.Card, at time.Time) error {
	return s.Together(func(tx core.App) error {
		var have []struct {
			ID string `db:"id"`
			No string `db:"card_no"`
		}
		if err := tx.DB().Select("id", "card_no").From(collections.PatientCards).Where(dbx.HashExp{"patient": patient}).WithContext(ctx).
			All(&have); err != nil {
			return err
		}
		ids := map[string]string{}
		for _, h := range have {
			ids[h.No] = h.ID
		}
		told := map[string]bool{} // the first of those that HIS tells twice counts
		for _, c := range cards {
			if told[c.No] {
				continue
			}
			if err := s.saveCard(tx.DB(), patient, ids[c.No], c, at); err != nil {
				return err
			}
			told[c.No] = true
			delete(ids, c.No)
		}
		for _, id := range ids {
			if _, err := tx.DB().Delete(collections.PatientCards, dbx.HashExp{"id": id}).Execute(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Moved reports whether an order about one of an institution's cards has moved
// since.
func (s *Store) Moved(ctx context.Context, institution string, cards []string, since time.Time) (bool, error) {
	var numbers []any
	for _, c := range cards {
		numbers = append(numbers, c)
	}
	var id string
	err := s.app.ConcurrentDB().Select("id").From(collections.RefundOrders).Where(dbx.And(
		dbx.HashExp{"institution": institution, "card_no": numbers}, dbx.NewExp("updated >= {:since}", dbx.Params{"since": stamp(since)}),
	)).Limit(1).WithContext(ctx).Row(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// KeepCard stores what HIS says of one card, known or not, beside the
// patient's other cards.
func (s *Store) KeepCard(ctx context.Context, patient string, c refund.Card, at time.Time) error {
	return s.Together(func(tx core.App) error {
		var id string
		err := tx.DB().Select("id").From(collections.PatientCards).Where(dbx.HashExp{"patient": patient, "card_no": c.No}).
			WithContext(ctx).Row(&id)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return s.saveCard(tx.DB(), patient, id, c, at)
	})
}

// saveCard writes a card that is kept under an id, or a new one.
func (s *Store) saveCard(db dbx.Builder, patient, id string, c refund.Card, at time.Time) error {
	known := id != ""
	if !known {
		id = newID()
	}
	sealed, err := s.vault.Seal(vault.Person, vault.Place(collections.PatientCards, "card_name", id), c.Name)
	if err != nil {
		return err
	}
	deposits := c.Deposits
	if deposits == nil {
		deposits = []refund.Deposit{}
	}
	set := dbx.Params{
		"card_name": vault.MaskName(c.Name), "card_name_sealed": sealed, "balance": int64(c.Balance), "refundable": int64(c.Refundable),
		"issued_at": stamp(c.IssuedAt), "as_of": stamp(at), "deposits": jsonText(deposits), "updated": stamp(at),
	}
	if err := putTerms(db, termCard, id, s.nameTerms(c.Name)); err != nil {
		return err
	}
	if known {
		_, err = db.Update(collections.PatientCards, set, dbx.HashExp{"id": id}).Execute()
		return err
	}
	set["id"], set["patient"], set["card_no"] = id, patient, c.No
	_, err = db.Insert(collections.PatientCards, set).Execute()
	return err
}

// RealName opens a patient's name.
func (s *Store) RealName(ctx context.Context, patient string) (string, error) {
	var sealed string
	err := s.app.ConcurrentDB().Select("name_sealed").From(collections.Patients).Where(dbx.HashExp{"id": patient}).WithContext(ctx).
		Row(&sealed)
	if err != nil {
		return "", err
	}
	return s.vault.Open(vault.Place(collections.Patients, "name", patient), sealed)
}

// Late counts orders of both domains that have been due since before t and that
// nobody holds.
func (s *Store) Late(ctx context.Context, t time.Time) (int, error) {
	var n int
	const late = " WHERE next_at != '' AND next_at < {:t} AND lease_until < {:t})"
	const both = "SELECT (SELECT COUNT(*) FROM refund_orders" + late + " + (SELECT COUNT(*) FROM payment_orders" + late
	err := s.app.ConcurrentDB().NewQuery(both).Bind(dbx.Params{"t": stamp(t)}).WithContext(ctx).Row(&n)
	return n, err
}
