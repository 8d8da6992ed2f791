package store

import (
	"context"
	"time"

	"hospay/channels"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/idno"
	"hospay/internal/vault"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Visitor is a person as the portal's ticket and the identity source tell.
type Visitor struct {
	Person refund.Person
	Via    string // wechat, alipay; empty at a kiosk
	Wechat string // openid, when told, as flow.InApp writes it
	Alipay refund.Payee
}

// InstitutionByCode finds an institution by its code, with its sealed secrets.
func (s *Store) InstitutionByCode(code string) (*core.Record, map[string]string, error) {
	rec, err := s.app.FindFirstRecordByData(collections.Institutions, "code", code)
	if err != nil {
		return nil, nil, flow.NewError(flow.CodeInstitutionOff, "")
	}
	secrets, err := s.secrets(collections.Institutions, configRow{ID: rec.Id, Sealed: rec.GetString("secrets_sealed")})
	return rec, secrets, err
}

// UseTicket marks a ticket as used and reports whether it was new.
func (s *Store) UseTicket(id string, expires time.Time) (bool, error) {
	_, err := s.app.NonconcurrentDB().Insert(collections.UsedTickets, dbx.Params{"id": newID(), "ticket": s.vault.Index("ticket", id),
		"expires": stamp(expires)}).Execute()
	if isUnique(err) {
		return false, nil
	}
	return err == nil, err
}

// PurgeTickets forgets tickets that have expired anyway.
func (s *Store) PurgeTickets(now time.Time) (int64, error) {
	res, err := s.app.NonconcurrentDB().Delete(collections.UsedTickets,
		dbx.NewExp("expires < {:now}", dbx.Params{"now": stamp(now.Add(-time.Hour))})).Execute()
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// SaveVisitor stores a person who has come, sealed and masked, and returns the
// patient's record.
func (s *Store) SaveVisitor(institution string, v Visitor) (*core.Record, error) {
	var out *core.Record
	err := s.transact(func(tx core.App) error {
		rec, err := s.patientOf(tx, institution, v.Person.PatientNo)
		if err != nil {
			return err
		}
		if err := s.fillVisitor(tx, rec, v); err != nil {
			return err
		}
		out = rec
		return tx.Save(rec)
	})
	return out, err
}

// newPatient makes a record that nobody can enter with a password.
func newPatient(tx core.App, institution, no string) (*core.Record, error) {
	c, err := tx.FindCachedCollectionByNameOrId(collections.Patients)
	if err != nil {
		return nil, err
	}
	rec := core.NewRecord(c)
	rec.Id = newID()
	rec.SetRaw(core.FieldNamePassword, &core.PasswordFieldValue{Hash: "!" + core.GenerateDefaultRandomId()})
	rec.RefreshTokenKey()
	rec.Set("institution", institution)
	rec.Set("patient_no", no)
	return rec, nil
}

func (s *Store) fillVisitor(tx core.App, rec *core.Record, v Visitor) error {
	p := v.Person
	id := idno.Normalize(p.IDNo)
	p.Phone, _ = people.Phone(p.Phone)
	rec.Set("id_type", p.IDType)
	if v.Via != "" { // a kiosk is none
		rec.Set("via", v.Via)
	}
	rec.Set("id_index", s.PersonIndex(id))
	for field, x := range map[string]struct{ plain, mask string }{
		"name": {p.Name, vault.MaskName(p.Name)}, "id_no": {id, vault.MaskIDNo(id)}, "phone": {p.Phone, vault.MaskPhone(p.Phone)},
	} {
		if field == "phone" && x.plain == "" && rec.GetString("phone_sealed") != "" { // not told is not taken away
			continue
		}
		rec.Set(field, x.mask)
		if err := s.sealInto(rec, field, x.plain); err != nil {
			return err
		}
	}
	if err := putTerms(tx.DB(), termPatient, rec.Id, append(s.nameTerms(p.Name), s.phoneTerms(p.Phone)...)); err != nil {
		return err
	}
	if v.Wechat != "" {
		if err := s.bindFree(tx, rec, channels.Account{ID: v.Wechat, Type: refund.AccountWechatOpenID}); err != nil {
			return err
		}
	}
	if v.Alipay.Account != "" {
		return s.bindFree(tx, rec, channels.Account{ID: v.Alipay.Account, Type: v.Alipay.Type})
	}
	return nil
}

// sealInto seals a person's field, keeping the stored value when it is the
// same, so that an unchanged record stays unchanged.
func (s *Store) sealInto(rec *core.Record, field, plain string) error {
	place := vault.Place(rec.Collection().Name, field, rec.Id)
	if have, err := s.vault.Open(place, rec.GetString(field+"_sealed")); err == nil && have == plain && plain != "" {
		return nil
	}
	sealed, err := s.vault.Seal(vault.Person, place, plain)
	if err != nil {
		return err
	}
	rec.Set(field+"_sealed", sealed)
	return nil
}

// PersonIndex is the blind index of a resident ID number. Patients and staff
// share it, so that one natural person behind two accounts shows.
func (s *Store) PersonIndex(idNo string) string {
	return s.vault.Index("id_no", idno.Normalize(idNo))
}

// Person opens the identity of the patient with an id.
func (s *Store) Person(ctx context.Context, patient string) (refund.Person, error) {
	rec, err := s.app.FindRecordById(collections.Patients, patient)
	if err != nil {
		return refund.Person{}, err
	}
	return s.OpenPerson(ctx, rec)
}

// OpenPerson opens a patient's identity for a call to HIS.
func (s *Store) OpenPerson(_ context.Context, rec *core.Record) (refund.Person, error) {
	p := refund.Person{PatientNo: rec.GetString("patient_no"), IDType: rec.GetString("id_type")}
	for field, to := range map[string]*string{"name": &p.Name, "id_no": &p.IDNo, "phone": &p.Phone} {
		plain, err := s.vault.Open(vault.Place(collections.Patients, field, rec.Id), rec.GetString(field+"_sealed"))
		if err != nil {
			return p, err
		}
		*to = plain
	}
	return p, nil
}

// StaffNames tells the names of an institution's staff by id.
func (s *Store) StaffNames(ctx context.Context, institution string) (map[string]string, error) {
	var rows []struct {
		ID   string `db:"id"`
		Name string `db:"name"`
	}
	err := s.app.ConcurrentDB().Select("id", "name").From(collections.Staff).Where(dbx.HashExp{"institution": institution}).WithContext(ctx).
		All(&rows)
	out := map[string]string{}
	for _, r := range rows {
		out[r.ID] = r.Name
	}
	return out, err
}
