package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"hospay/calendar"
	"hospay/channels"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/i18n"
	"hospay/internal/vault"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Entry is an account that a channel has named and that is nobody's yet. It lives
// with whoever brought it, sealed, until they have said who they are.
type Entry struct {
	Institution string
	Account     channels.Account
	Until       time.Time
}

// entryLife is how long somebody may look for their card.
const entryLife = 30 * time.Minute

// entryPlace is where sealed entries are said to lie; they lie nowhere.
var entryPlace = vault.Place("entries", "account", "")

// SealEntry seals an entry for the way to the page and back.
func (s *Store) SealEntry(institution string, account channels.Account, now time.Time) (string, Entry, error) {
	e := Entry{Institution: institution, Account: account, Until: now.Add(entryLife)}
	plain, err := json.Marshal(e)
	if err != nil {
		return "", e, err
	}
	sealed, err := s.vault.Seal(vault.Person, entryPlace, string(plain))
	return sealed, e, err
}

// OpenEntry opens a sealed entry; ErrNotFound where it is none, or over.
func (s *Store) OpenEntry(sealed string, now time.Time) (Entry, error) {
	var e Entry
	plain, err := s.vault.Open(entryPlace, sealed)
	if err != nil || json.Unmarshal([]byte(plain), &e) != nil || e.Account.ID == "" || !now.Before(e.Until) {
		return Entry{}, flow.ErrNotFound
	}
	return e, nil
}

// Enter makes a person of HIS the owner of an entry's account. An account that is
// somebody else's, and a person who has another account of the channel, are
// refused: whoever knows a person's papers is not yet that person's phone.
func (s *Store) Enter(e Entry, p refund.Person, address string) (*core.Record, error) {
	var out *core.Record
	channel := heldAs(e.Account).channel
	err := s.transact(func(tx core.App) error {
		owner, err := s.patientByAccount(tx, e.Institution, e.Account)
		if err != nil && !errors.Is(err, flow.ErrNotFound) {
			return err
		}
		rec, err := s.patientOf(tx, e.Institution, p.PatientNo)
		if err != nil {
			return err
		}
		if (owner != nil && owner.Id != rec.Id) || (owner == nil && rec.GetBool(channel+"_bound")) {
			return flow.NewError(refund.CodeEntryRefused, "")
		}
		if err := s.fillVisitor(tx, rec, Visitor{Person: p, Via: channel}); err != nil {
			return err
		}
		if err := s.bindAccount(tx, rec, e.Account); err != nil {
			return err
		}
		if err := tx.Save(rec); err != nil {
			return err
		}
		out = rec
		if owner == nil {
			if err := s.tellEntered(tx, e.Institution, rec.Id, channel); err != nil {
				return err
			}
		}
		return Audit(tx, AuditEntry{Institution: e.Institution, ActorKind: "patient", Actor: rec.Id, Action: "patient.entered", Target: rec.Id,
			Address: address, Details: map[string]any{"channel": channel}})
	})
	return out, err
}

// tellEntered tells a person that an account has registered as them.
func (s *Store) tellEntered(tx core.App, institution, patient, channel string) error {
	values := map[string]string{
		"no": "", "amount": "", "reason": "", "method": "", "status": "", "channel": i18n.Text(i18n.Default, "channel."+channel),
		"time": s.now().In(calendar.Beijing).Format("2006-01-02 15:04"),
	}
	return s.tell(tx, told{institution: institution, patient: patient, channel: channel, values: values},
		flow.Notice{Event: refund.NoticeEntered, At: s.now()})
}

// patientOf finds a patient by HIS's number, or makes a record that is not saved.
func (s *Store) patientOf(tx core.App, institution, no string) (*core.Record, error) {
	const own = "institution = {:i} && patient_no = {:p}"
	rec, err := tx.FindFirstRecordByFilter(collections.Patients, own, dbx.Params{"i": institution, "p": no})
	if errors.Is(err, sql.ErrNoRows) {
		return newPatient(tx, institution, no)
	}
	return rec, err
}
