package store

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"hospay/collections"
	"hospay/internal/vault"
	"hospay/people"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Whom a term leads to.
const (
	termPatient = "patient"
	termCard    = "card"
)

// termLen is how much of a keyed hash a term keeps: 96 bits.
const termLen = 24

// longestFind is how much anybody types to find an order.
const longestFind = 64

// Find is what somebody typed to find orders: a number of any side, or the name of
// a person, a phone number or its last four digits.
type Find struct {
	Text  string
	terms []string
}

// SealFind is what stands for a text in addresses, filters that are kept, and logs:
// nobody but this program reads from it whom somebody looked for.
func (s *Store) SealFind(institution, text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" || utf8.RuneCountInString(text) > longestFind {
		return "", ErrBadFilter
	}
	return s.vault.Seal(vault.Person, vault.Place("find", "text", institution), text)
}

// OpenFind reads what stands for a text; the empty one is nothing.
func (s *Store) OpenFind(institution, sealed string) (Find, error) {
	if sealed == "" {
		return Find{}, nil
	}
	text, err := s.vault.Open(vault.Place("find", "text", institution), sealed)
	if err != nil {
		return Find{}, ErrBadFilter
	}
	f := Find{Text: text, terms: s.nameTerms(text)}
	if digits, typed := phoneDigits(text); typed && len(digits) == 4 {
		f.terms = append(f.terms, s.term("tail", digits))
	} else if typed {
		f.terms = append(f.terms, s.term("phone", digits))
	}
	return f, nil
}

// find is the condition on the orders of a table that a text finds. numbers finds
// them by a number.
func (f Find) where(c *conditions, table string, numbers func(text string) string) {
	if f.Text == "" {
		return
	}
	// By rowid, which an index holds: people with a common name have many orders.
	found := "SELECT n.rowid FROM " + table + " n WHERE n.id IN (" + numbers(f.Text) + ")"
	if len(f.terms) > 0 {
		var names []string
		for _, t := range f.terms {
			names = append(names, c.bind(t))
		}
		of := func(kind, join string) string { // read from the terms on: they are few
			return " UNION SELECT p.rowid FROM person_terms t " + join + " WHERE t.kind = '" + kind + "' AND t.term IN (" +
				strings.Join(names, ", ") + ")"
		}
		found += of(termPatient, "CROSS JOIN "+table+" p ON p.patient = t.owner") +
			of(termCard, "CROSS JOIN patient_cards k ON k.id = t.owner CROSS JOIN "+table+" p ON p.patient = k.patient AND p.card_no = k.card_no")
		if table == collections.RefundOrders {
			found += of(termPatient, "CROSS JOIN proxy_applications a ON a.principal = t.owner CROSS JOIN "+table+
				" p ON p.proxy_application = a.id AND p.proxy_application != ''")
		}
	}
	c.terms = append(c.terms, "o.rowid IN ("+found+")")
}

func (s *Store) term(kind, value string) string { return s.vault.Index("find|"+kind, value)[:termLen] }

// nameTerms is what a name is found by, however it was typed.
func (s *Store) nameTerms(name string) []string {
	key := people.NameKey(name)
	if strings.IndexFunc(key, unicode.IsLetter) < 0 {
		return nil
	}
	return []string{s.term("name", key)}
}

// phoneTerms is what a phone number is found by: itself, and its last four digits.
func (s *Store) phoneTerms(phone string) []string {
	digits, _ := phoneDigits(phone)
	if len(digits) < 4 {
		return nil
	}
	return []string{s.term("phone", digits), s.term("tail", digits[len(digits)-4:])}
}

// phoneDigits are the digits of a phone number of any country, and whether there is
// nothing else in it than digits and what stands between them.
func phoneDigits(s string) (string, bool) {
	if n, ok := people.Phone(s); ok {
		return n, true
	}
	pure := true
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		pure = pure && strings.ContainsRune("+- ()", r)
		return -1
	}, s)
	return digits, pure && len(digits) >= 4
}

// putTerms keeps what leads to somebody. What led there before still does: people are
// looked for by the name and the phone that they had.
func putTerms(db dbx.Builder, kind, owner string, terms []string) error {
	for _, t := range terms {
		_, err := db.NewQuery("INSERT OR IGNORE INTO person_terms (id, term, kind, owner) VALUES ({:id}, {:term}, {:kind}, {:owner})").
			Bind(dbx.Params{"id": newID(), "term": t, "kind": kind, "owner": owner}).Execute()
		if err != nil {
			return err
		}
	}
	return nil
}

// keepContact makes a patient's orders be found by the phone that one of them tells.
func (s *Store) keepContact(tx core.App, order *core.Record) error {
	phone, err := s.vault.Open(vault.Place(collections.RefundOrders, "notify_phone", order.Id), order.GetString("notify_phone_sealed"))
	if err != nil {
		return err
	}
	return putTerms(tx.DB(), termPatient, order.GetString("patient"), s.phoneTerms(phone))
}

// termSource says what of the rows from before there were terms leads to whom.
type termSource struct {
	table, field, kind, owner string
	terms                     func(s *Store, plain string) []string
}

func termSources() []termSource {
	return []termSource{
		{collections.Patients, "name", termPatient, "id", (*Store).nameTerms},
		{collections.Patients, "phone", termPatient, "id", (*Store).phoneTerms},
		{collections.PatientCards, "card_name", termCard, "id", (*Store).nameTerms},
		{collections.RefundOrders, "notify_phone", termPatient, "patient", (*Store).phoneTerms},
	}
}

const termBatch = 200

// FillTerms makes what a folder of an older program holds be found by names and
// phones, in small transactions that remember how far it is; it returns how many rows
// it has read.
func (s *Store) FillTerms(ctx context.Context) (int, error) {
	if s.termsKept.Load() {
		return 0, nil
	}
	have, err := collections.ReadTermMark(s.app.ConcurrentDB())
	if err != nil {
		return 0, err
	}
	total := 0
	for _, from := range termSources() {
		for !have.Done(from.table, from.field) {
			n, err := s.fillSome(ctx, from, have)
			total += n
			if err != nil {
				return total, err
			}
		}
	}
	s.termsKept.Store(true)
	return total, nil
}

func (s *Store) fillSome(ctx context.Context, from termSource, have collections.TermMark) (int, error) {
	var rows []struct {
		ID     string `db:"id"`
		Owner  string `db:"owner"`
		Sealed string `db:"sealed"`
	}
	err := s.app.ConcurrentDB().NewQuery("SELECT id, " + from.owner + " AS owner, " + from.field + "_sealed AS sealed FROM " + from.table +
		" WHERE id > {:after} ORDER BY id LIMIT {:n}").
		Bind(dbx.Params{"after": have.After(from.table, from.field), "n": termBatch}).WithContext(ctx).All(&rows)
	if err != nil {
		return 0, err
	}
	last := "" // the end
	if len(rows) == termBatch {
		last = rows[len(rows)-1].ID
	}
	err = s.transact(func(tx core.App) error {
		for _, r := range rows {
			plain, err := s.vault.Open(vault.Place(from.table, from.field, r.ID), r.Sealed)
			if errors.Is(err, vault.ErrOpen) || errors.Is(err, vault.ErrFormat) {
				continue // the audit of sealed fields tells of it; the others go on
			}
			if err != nil {
				return err
			}
			if err := putTerms(tx.DB(), from.kind, r.Owner, from.terms(s, plain)); err != nil {
				return err
			}
		}
		return collections.KeepTermMark(tx, have.With(from.table, from.field, last))
	})
	if err == nil {
		have[from.table+"."+from.field] = last
	}
	return len(rows), err
}
