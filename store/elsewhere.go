package store

import (
	"encoding/json"
	"slices"

	"hospay/collections"
	"hospay/flow"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// CodeOtherPerson: the two accounts are not one person's, or of one of them the
// person is not known.
const CodeOtherPerson flow.Code = "other_person"

// mostJoined bounds what is remembered of joined accounts; the oldest go first.
const mostJoined = 100

// Elsewhere is an account that the person behind another one has in another
// institution.
type Elsewhere struct {
	Account *core.Record
	House   *core.Record
	Code    bool // entering it takes a code of its app
	Coded   bool // it has such an app
}

// Elsewhere finds the accounts that the person behind one has joined with it. Each
// was made in its own institution, by two people, with the roles of that house. The
// same ID number is not enough to be joined: in each house others enter it.
func (s *Store) Elsewhere(account *core.Record) (out []Elsewhere, err error) {
	person := account.GetString("person_index")
	own, err := s.SecurityOf(account.Id)
	if err != nil || person == "" || len(own.Joined) == 0 {
		return nil, err
	}
	var all []*core.Record
	err = s.app.RecordQuery(collections.Staff).AndWhere(dbx.HashExp{"person_index": person, "active": true, "first_password": false}).
		AndWhere(dbx.NewExp("institution != {:own}", dbx.Params{"own": account.GetString("institution")})).OrderBy("institution").All(&all)
	for _, a := range all {
		p, row, err := s.place(a)
		if err != nil {
			return nil, err
		}
		if mark := s.joint(account, a); slices.Contains(own.joined(), mark) && slices.Contains(row.joined(), mark) {
			out = append(out, p)
		}
	}
	return out, err
}

// Place is what entering an account takes.
func (s *Store) Place(account *core.Record) (Elsewhere, error) {
	p, _, err := s.place(account)
	return p, err
}

func (s *Store) place(account *core.Record) (Elsewhere, Security, error) {
	house, err := s.app.FindRecordById(collections.Institutions, account.GetString("institution"))
	if err != nil {
		return Elsewhere{}, Security{}, err
	}
	row, err := s.SecurityOf(account.Id)
	must := row.On || house.GetString("second_factor") == SecondFactorTOTP
	return Elsewhere{Account: account, House: house, Code: must, Coded: row.On}, row, err
}

// joint marks two accounts as joined. A new password of either makes it another one.
func (s *Store) joint(a, b *core.Record) string {
	ends := []string{a.Id + a.TokenKey(), b.Id + b.TokenKey()}
	slices.Sort(ends)
	return s.vault.Index("joined", ends[0]+" "+ends[1])
}

// Join joins two accounts of one person, who has just entered both. Both houses have
// it on record.
func (s *Store) Join(a, b *core.Record, address string) error {
	one, other := MemberOf(a), MemberOf(b)
	if one.Institution == other.Institution || !one.Same(other.By) {
		return flow.NewError(CodeOtherPerson, "")
	}
	mark := s.joint(a, b)
	for _, x := range [][2]*core.Record{{a, b}, {b, a}} {
		err := s.secure(x[0], func(tx core.App, row *Security) error {
			if marks := row.joined(); !slices.Contains(marks, mark) {
				marks = append(marks, mark)
				row.Joined = jsonText(marks[max(0, len(marks)-mostJoined):])
			}
			return auditHouse(tx, "staff.join", x[0], x[1], address)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Switched puts on record, in both houses, that somebody went over.
func (s *Store) Switched(from, to *core.Record, address string) error {
	return s.transact(func(tx core.App) error {
		if err := auditHouse(tx, "staff.switch", from, to, address); err != nil {
			return err
		}
		return auditHouse(tx, "staff.switch", to, from, address)
	})
}

// auditHouse writes of an account what was done with the one in another house.
func auditHouse(tx core.App, action string, a, other *core.Record, address string) error {
	house, err := tx.FindRecordById(collections.Institutions, other.GetString("institution"))
	if err != nil {
		return err
	}
	return Audit(tx, AuditEntry{
		Institution: a.GetString("institution"), ActorKind: "staff", Actor: a.Id, Action: action, Target: a.Id, Address: address,
		Details: map[string]any{"house": house.GetString("name")},
	})
}

func (s Security) joined() (out []string) {
	_ = json.Unmarshal([]byte(s.Joined), &out)
	return out
}
