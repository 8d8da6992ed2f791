package store

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/payment"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// The kinds of sessions beside logins: a kiosk is entered with a code, which
// becomes the token of the device; whoever stands at it has a session there.
const (
	kindCode   = "kiosk_code"
	kindDevice = "kiosk"
	kindPerson = "kiosk_person"
)

// How long they live. A device lives until it is withdrawn.
const (
	CodeLife     = 10 * time.Minute
	deviceLife   = 20 * 365 * 24 * time.Hour
	atKioskLife  = 15 * time.Minute
	idleGrace    = 30 * time.Second // beyond what the kiosk itself waits for a touch
	kioskDigits  = 8
	KioskToken   = "kiosk." // begins the token of a device
	DefaultTouch = 60       // seconds without a touch
)

// Why a kiosk is not let in.
const (
	CodeKioskUnknown flow.Code = "kiosk_unknown" // withdrawn, or never entered
	CodeKioskCode    flow.Code = "kiosk_code"    // not a code, not any more
	CodePersonGone   flow.Code = "person_gone"   // nobody stands there any more
)

// Kiosk is a device that was entered.
type Kiosk struct {
	ID          string
	Institution string
	Place       string
	Ways        []string
	ReaderURL   string
	Touch       time.Duration // without one the page forgets who stands there
}

// Takes reports whether people may say who they are in a way.
func (k Kiosk) Takes(way string) bool { return slices.Contains(k.Ways, way) }

// kioskFacts are what people see of a device beside its settings.
type kioskFacts struct {
	Kiosk string         `db:"kiosk"`
	Kind  string         `db:"kind"`
	Began types.DateTime `db:"created"`
	Seen  types.DateTime `db:"seen"`
	Until types.DateTime `db:"until"`
}

// KioskState is whether a kiosk is entered, and when it was seen last. Zero times
// are none.
type KioskState struct{ EnrolledAt, SeenAt, CodeUntil time.Time }

// KioskStates tells of the kiosks of an institution, by id.
func (s *Store) KioskStates(ctx context.Context, institution string) (map[string]KioskState, error) {
	var rows []kioskFacts
	err := s.app.ConcurrentDB().Select("s.kiosk", "s.kind", "s.created", "s.seen", "s.until").From(collections.Sessions+" s").
		InnerJoin(collections.Kiosks+" k", dbx.NewExp("k.id = s.kiosk")).
		Where(dbx.NewExp("k.institution = {:i} AND s.kiosk != '' AND s.kind IN ('kiosk', 'kiosk_code') AND s.ended = '' AND s.until > {:now}",
			dbx.Params{"i": institution, "now": stamp(s.now())})).WithContext(ctx).All(&rows)
	out := map[string]KioskState{}
	for _, r := range rows {
		k := out[r.Kiosk]
		if r.Kind == kindDevice {
			k.EnrolledAt, k.SeenAt = r.Began.Time(), r.Seen.Time()
		} else {
			k.CodeUntil = r.Until.Time()
		}
		out[r.Kiosk] = k
	}
	return out, err
}

// kiosk reads an active kiosk.
func kiosk(db dbx.Builder, id string) (Kiosk, error) {
	var row struct {
		ID     string                  `db:"id"`
		Inst   string                  `db:"institution"`
		Place  string                  `db:"place"`
		Active bool                    `db:"active"`
		Ways   types.JSONArray[string] `db:"ways"`
		Reader string                  `db:"reader_url"`
		Touch  int                     `db:"idle_seconds"`
	}
	err := db.Select("*").From(collections.Kiosks).Where(dbx.HashExp{"id": id}).One(&row)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && !row.Active:
		return Kiosk{}, flow.NewError(CodeKioskUnknown, "")
	case err != nil:
		return Kiosk{}, err
	case row.Touch <= 0:
		row.Touch = DefaultTouch
	}
	return Kiosk{ID: row.ID, Institution: row.Inst, Place: row.Place, Ways: row.Ways, ReaderURL: row.Reader,
		Touch: time.Duration(row.Touch) * time.Second}, nil
}

// endAt ends the sessions of the kinds at a kiosk.
func endAt(db dbx.Builder, kiosk string, now time.Time, kinds ...any) error {
	_, err := db.Update(collections.Sessions, dbx.Params{"ended": stamp(now)},
		dbx.And(dbx.HashExp{"kiosk": kiosk, "ended": ""}, dbx.NewExp("kiosk != ''"), dbx.In("kind", kinds...))).Execute()
	return err
}

// beginAt begins a session of a kind that a secret names.
func (s *Store) beginAt(db dbx.Builder, kind string, k Kiosk, account, secret string, life time.Duration, now time.Time) (Session, error) {
	out := Session{ID: newID(), Until: now.Add(life)}
	_, err := db.Insert(collections.Sessions, dbx.Params{"id": out.ID, "account": account, "institution": k.Institution,
		"until": stamp(out.Until), "seen": stamp(now), "ended": "", "created": stamp(now), "kind": kind, "kiosk": k.ID,
		"secret": s.vault.Index(kind, secret)}).Execute()
	return out, err
}

// randomText is a secret that nobody guesses.
func randomText() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// KioskCode makes the code with which a kiosk is entered, once; an earlier one is
// worth nothing any more.
func (s *Store) KioskCode(id string, by AuditEntry) (code string, until time.Time, err error) {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		return "", until, err
	}
	code = fmt.Sprintf("%0*d", kioskDigits, n)
	err = s.transact(func(tx core.App) error {
		k, err := kiosk(tx.DB(), id)
		switch {
		case flow.CodeOf(err) == CodeKioskUnknown, err == nil && k.Institution != by.Institution:
			return flow.ErrNotFound
		case err != nil:
			return err
		}
		now := s.now()
		if err := endAt(tx.DB(), id, now, kindCode); err != nil {
			return err
		}
		session, err := s.beginAt(tx.DB(), kindCode, k, id, code, CodeLife, now)
		if err != nil {
			return err
		}
		until = session.Until
		by.Action, by.Target, by.Details = "kiosk.code", id, map[string]any{"place": k.Place}
		return Audit(tx, by)
	})
	return code, until, err
}

// EnrolKiosk turns a code into the token of a device. The device that was the kiosk
// before is out.
func (s *Store) EnrolKiosk(code, address string) (k Kiosk, token string, err error) {
	token = randomText()
	err = s.transact(func(tx core.App) error {
		now, hash := s.now(), s.vault.Index(kindCode, code)
		var row struct {
			ID     string `db:"id"`
			Kiosk  string `db:"kiosk"`
			Secret string `db:"secret"`
		}
		err := tx.DB().Select("id", "kiosk", "secret").From(collections.Sessions).
			Where(dbx.NewExp("secret = {:h} AND secret != '' AND kind = 'kiosk_code' AND ended = '' AND until > {:now}",
				dbx.Params{"h": hash, "now": stamp(now)})).One(&row)
		if errors.Is(err, sql.ErrNoRows) || err == nil && subtle.ConstantTimeCompare([]byte(row.Secret), []byte(hash)) != 1 {
			return flow.NewError(CodeKioskCode, "")
		}
		if err != nil {
			return err
		}
		if k, err = kiosk(tx.DB(), row.Kiosk); flow.CodeOf(err) == CodeKioskUnknown {
			return flow.NewError(CodeKioskCode, "")
		} else if err != nil {
			return err
		}
		if err := endAt(tx.DB(), k.ID, now, kindCode, kindDevice, kindPerson); err != nil {
			return err
		}
		session, err := s.beginAt(tx.DB(), kindDevice, k, k.ID, token, deviceLife, now)
		if err != nil {
			return err
		}
		token = KioskToken + session.ID + "." + token
		return Audit(tx, AuditEntry{Institution: k.Institution, ActorKind: "kiosk", Actor: k.ID, Action: "kiosk.enrolled", Target: k.ID,
			Address: address, Details: map[string]any{"place": k.Place}})
	})
	return k, token, err
}

// kioskSession reads of a session that a secret names at which kiosk it is, and
// whose.
func (s *Store) kioskSession(kind, named string, idle time.Duration, now time.Time) (kiosk, account string, err error) {
	id, secret, _ := strings.Cut(named, ".")
	var row struct {
		Kiosk   string         `db:"kiosk"`
		Account string         `db:"account"`
		Secret  string         `db:"secret"`
		Until   types.DateTime `db:"until"`
		Seen    types.DateTime `db:"seen"`
	}
	err = s.app.ConcurrentDB().Select("kiosk", "account", "secret", "until", "seen").From(collections.Sessions).
		Where(dbx.HashExp{"id": id, "kind": kind, "ended": ""}).One(&row)
	gone := flow.NewError(map[string]flow.Code{kindDevice: CodeKioskUnknown, kindPerson: CodePersonGone}[kind], "")
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", "", gone
	case err != nil:
		return "", "", err
	case secret == "" || subtle.ConstantTimeCompare([]byte(row.Secret), []byte(s.vault.Index(kind, secret))) != 1,
		!now.Before(row.Until.Time()), idle > 0 && now.Sub(row.Seen.Time()) > idle:
		return "", "", gone
	}
	if now.Sub(row.Seen.Time()) >= 10*time.Second { // to spare the disk
		_, err = s.app.NonconcurrentDB().Update(collections.Sessions, dbx.Params{"seen": stamp(now)}, dbx.HashExp{"id": id}).Execute()
	}
	return row.Kiosk, row.Account, err
}

// UseKiosk returns the kiosk of a device's token.
func (s *Store) UseKiosk(token string) (Kiosk, error) {
	at, _, err := s.kioskSession(kindDevice, strings.TrimPrefix(token, KioskToken), 0, s.now())
	if err != nil {
		return Kiosk{}, err
	}
	return kiosk(s.app.ConcurrentDB(), at)
}

// BeginAtKiosk notes that a patient stands at a kiosk, whoever stood there before,
// and returns the handle that their requests carry.
func (s *Store) BeginAtKiosk(k Kiosk, patient, way, address string) (handle string, until time.Time, err error) {
	secret := randomText()
	err = s.transact(func(tx core.App) error {
		now := s.now()
		if err := s.leave(tx, k.ID, now); err != nil {
			return err
		}
		session, err := s.beginAt(tx.DB(), kindPerson, k, patient, secret, atKioskLife, now)
		if err != nil {
			return err
		}
		handle, until = session.ID+"."+secret, session.Until
		return Audit(tx, AuditEntry{Institution: k.Institution, ActorKind: "kiosk", Actor: k.ID, Action: "kiosk.person", Target: patient,
			Address: address, Details: map[string]any{"way": way, "place": k.Place}})
	})
	return handle, until, err
}

// UseAtKiosk returns the patient's record of a handle, which is worth something at
// its own kiosk alone.
func (s *Store) UseAtKiosk(k Kiosk, handle string) (*core.Record, error) {
	at, account, err := s.kioskSession(kindPerson, handle, k.Touch+idleGrace, s.now())
	if err == nil && at != k.ID {
		err = flow.NewError(CodePersonGone, "")
	}
	if err != nil {
		return nil, err
	}
	rec, err := s.app.FindRecordById(collections.Patients, account)
	if err == nil && rec.GetString("institution") != k.Institution {
		return nil, flow.NewError(CodePersonGone, "")
	}
	return rec, err
}

// leave ends whoever stands at a kiosk, with the credential that was shown there.
func (s *Store) leave(tx core.App, kiosk string, now time.Time) error {
	_, err := tx.DB().NewQuery("UPDATE payment_credentials SET grant_sealed = '', until = '' WHERE channel = {:c} AND patient IN " +
		"(SELECT account FROM sessions WHERE kiosk = {:k} AND kiosk != '' AND kind = 'kiosk_person' AND ended = '')").
		Bind(dbx.Params{"c": payment.GrantOfKiosk, "k": kiosk}).Execute()
	if err != nil {
		return err
	}
	return endAt(tx.DB(), kiosk, now, kindPerson)
}

// LeaveKiosk ends whoever stands at a kiosk.
func (s *Store) LeaveKiosk(k Kiosk) error {
	return s.transact(func(tx core.App) error { return s.leave(tx, k.ID, s.now()) })
}

// WithdrawKiosk ends a kiosk at once: its device, its code, and whoever stands
// there.
func (s *Store) WithdrawKiosk(id string, by AuditEntry) error {
	return s.transact(func(tx core.App) error {
		rec, err := tx.FindRecordById(collections.Kiosks, id)
		if err != nil || rec.GetString("institution") != by.Institution {
			return flow.ErrNotFound
		}
		now := s.now()
		if err := s.leave(tx, id, now); err != nil {
			return err
		}
		if err := endAt(tx.DB(), id, now, kindCode, kindDevice); err != nil {
			return err
		}
		rec.Set("active", false)
		if err := tx.Save(rec); err != nil {
			return err
		}
		by.Action, by.Target, by.Details = "kiosk.withdrawn", id, map[string]any{"place": rec.GetString("place")}
		return Audit(tx, by)
	})
}

// freshAtKiosk is how long a payment that is done is shown again at its kiosk: the
// power may have gone before the receipt was printed.
const freshAtKiosk = 30 * time.Minute

// OpenAtKiosk lists a patient's orders at kiosks that are not at their end, and what
// was paid at this one a moment ago; newest first.
func (p *Payments) OpenAtKiosk(ctx context.Context, k Kiosk, patient string) ([]string, error) {
	open := make([]any, 0, len(underWay()))
	for _, status := range underWay() {
		open = append(open, status)
	}
	var ids []string
	err := p.s.app.ConcurrentDB().Select("id").From(collections.PaymentOrders).
		Where(dbx.And(dbx.HashExp{"patient": patient, "terminal": string(payment.TerminalKiosk)}, dbx.Or(dbx.In("status", open...),
			dbx.NewExp("kiosk = {:k} AND status = 'done' AND created > {:since}",
				dbx.Params{"k": k.ID, "since": stamp(p.s.now().Add(-freshAtKiosk))})))).
		OrderBy("created DESC").Limit(5).WithContext(ctx).Column(&ids)
	return ids, err
}
