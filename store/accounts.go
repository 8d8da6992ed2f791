package store

import (
	"context"
	"database/sql"
	"errors"

	"hospay/channels"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/vault"
	"hospay/payment"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// held says where a patient's account lies: the sealed field, and the blind index
// by which it is found. A person may have two at WeChat, one in the official
// account and one in the mini program.
type held struct{ field, index, channel, app string }

var (
	heldWechat = held{"wechat_openid", "wechat_index", "wechat", ""}
	heldMini   = held{"mini_openid", "mini_index", "wechat", "mini"}
	heldAlipay = held{"alipay_id", "alipay_index", "alipay", ""}
)

func heldAs(account channels.Account) held {
	app, _ := flow.AppOf(account.ID)
	switch {
	case account.Type != refund.AccountWechatOpenID:
		return heldAlipay
	case app != "":
		return heldMini
	}
	return heldWechat
}

func (s *Store) accountIndex(account channels.Account) string {
	return s.vault.Index(heldAs(account).channel, account.ID)
}

func (s *Store) unionIndex(account channels.Account) string {
	return s.vault.Index("wechat union", account.Union)
}

// PatientByAccount finds the patient of an institution to whom a channel account
// is bound, or another one of the same person; or ErrNotFound.
func (s *Store) PatientByAccount(institution string, account channels.Account) (*core.Record, error) {
	return s.patientByAccount(s.app, institution, account)
}

func (s *Store) patientByAccount(app core.App, institution string, account channels.Account) (*core.Record, error) {
	rec, err := patientWith(app, institution, heldAs(account).index, s.accountIndex(account))
	if account.Union != "" && errors.Is(err, flow.ErrNotFound) {
		return patientWith(app, institution, "union_index", s.unionIndex(account))
	}
	return rec, err
}

func patientWith(app core.App, institution, field, index string) (*core.Record, error) {
	rec, err := app.FindFirstRecordByFilter(collections.Patients, "institution = {:i} && "+field+" = {:x}",
		dbx.Params{"i": institution, "x": index})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, flow.ErrNotFound
	}
	return rec, err
}

// bindFree binds an account that is nobody else's. A family may share a phone:
// the child whom the portal sends from the mother's account gets in without it.
func (s *Store) bindFree(tx core.App, rec *core.Record, account channels.Account) error {
	owner, err := s.patientByAccount(tx, rec.GetString("institution"), account)
	switch {
	case errors.Is(err, flow.ErrNotFound) || (err == nil && owner.Id == rec.Id):
		return s.bindAccount(tx, rec, account)
	case err != nil:
		return err
	}
	return nil
}

// bindAccount stores a person's account at a channel. At WeChat it is the one that
// money goes to until the person comes in by the other one.
func (s *Store) bindAccount(tx core.App, rec *core.Record, account channels.Account) error {
	h := heldAs(account)
	if h.channel == "alipay" {
		rec.Set("alipay_id_type", string(account.Type))
	} else {
		rec.Set("wechat_app", h.app)
	}
	if account.Union != "" {
		index := s.unionIndex(account)
		owner, err := patientWith(tx, rec.GetString("institution"), "union_index", index)
		if err != nil && !errors.Is(err, flow.ErrNotFound) {
			return err
		}
		if owner == nil { // of two people with one phone whoever came first is found by it
			rec.Set("union_index", index)
		}
	}
	rec.Set(h.index, s.accountIndex(account))
	rec.Set(h.channel+"_bound", true)
	return s.sealInto(rec, h.field, account.ID)
}

// BindAccount adds a channel account to a patient who is logged in, or who has
// come in by it. An account that belongs to another patient of the institution is
// refused. A known one that nothing has changed about is not written.
func (s *Store) BindAccount(patient string, account channels.Account) (*core.Record, error) {
	out, err := s.app.FindRecordById(collections.Patients, patient)
	if err != nil || s.bound(out, account) {
		return out, err
	}
	err = s.transact(func(tx core.App) error {
		if out, err = tx.FindRecordById(collections.Patients, patient); err != nil {
			return err
		}
		if err := s.bindAccount(tx, out, account); err != nil {
			return err
		}
		return tx.Save(out)
	})
	return out, err
}

// bound reports that an account is the patient's, and the one in use.
func (s *Store) bound(rec *core.Record, account channels.Account) bool {
	h := heldAs(account)
	return rec.GetString(h.index) == s.accountIndex(account) && rec.GetBool(h.channel+"_bound") &&
		(h.channel == "alipay" || rec.GetString("wechat_app") == h.app) &&
		(account.Union == "" || rec.GetString("union_index") == s.unionIndex(account))
}

// LetGo takes from a patient's record the accounts that somebody has marked as not
// bound, for a phone that changed hands. Whoever has come in by one must come anew.
func LetGo(rec *core.Record) {
	for channel, all := range map[string][]held{"wechat": {heldWechat, heldMini}, "alipay": {heldAlipay}} {
		has := false
		for _, h := range all {
			has = has || rec.GetString(h.index) != ""
		}
		switch bound := rec.GetBool(channel + "_bound"); {
		case bound && !has: // nobody can say which
			rec.Set(channel+"_bound", false)
		case !bound && has:
			for _, h := range all {
				rec.Set(h.index, "")
				rec.Set(h.field+"_sealed", "")
			}
			for _, f := range map[string][]string{"wechat": {"wechat_app", "union_index"}, "alipay": {"alipay_id_type"}}[channel] {
				rec.Set(f, "")
			}
			rec.RefreshTokenKey()
		}
	}
}

// accountRow is what is read of a patient's accounts.
type accountRow struct {
	Name   string `db:"name_sealed"`
	OpenID string `db:"wechat_openid_sealed"`
	Mini   string `db:"mini_openid_sealed"`
	App    string `db:"wechat_app"`
	Alipay string `db:"alipay_id_sealed"`
	Type   string `db:"alipay_id_type"`
}

func (s *Store) accounts(ctx context.Context, patient string) (accountRow, error) {
	var r accountRow
	err := s.app.ConcurrentDB().Select("name_sealed", "wechat_openid_sealed", "mini_openid_sealed", "wechat_app", "alipay_id_sealed",
		"alipay_id_type").From(collections.Patients).Where(dbx.HashExp{"id": patient}).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return r, flow.ErrNotFound
	}
	return r, err
}

func (s *Store) openAccount(patient string, r accountRow, h held) (refund.Payee, error) {
	p, sealed := refund.Payee{Type: refund.AccountWechatOpenID}, r.OpenID
	switch h {
	case heldMini:
		sealed = r.Mini
	case heldAlipay:
		sealed, p.Type = r.Alipay, refund.AccountType(r.Type)
	}
	var err error
	if p.Account, err = s.vault.Open(vault.Place(collections.Patients, h.field, patient), sealed); err != nil {
		return refund.Payee{}, err
	}
	p.Name, err = s.vault.Open(vault.Place(collections.Patients, "name", patient), r.Name)
	return p, err
}

// PatientAccount opens the account at a channel that money goes to: at WeChat the
// one that the patient has come in by last.
func (s *Store) PatientAccount(ctx context.Context, patient, channel string) (refund.Payee, error) {
	r, err := s.accounts(ctx, patient)
	h := heldWechat
	switch {
	case err != nil:
		return refund.Payee{}, err
	case channel == "alipay":
		h = heldAlipay
	case r.Mini != "" && (r.App == heldMini.app || r.OpenID == ""):
		h = heldMini
	}
	return s.openAccount(patient, r, h)
}

// MessageAccount opens the account that messages of a channel go to: the first
// application's, whose templates they are.
func (s *Store) MessageAccount(ctx context.Context, patient, channel string) (refund.Payee, error) {
	r, err := s.accounts(ctx, patient)
	h := heldWechat
	if channel == "alipay" {
		h = heldAlipay
	}
	if err != nil {
		return refund.Payee{}, err
	}
	return s.openAccount(patient, r, h)
}

// Payer is the account that a patient pays with at a terminal, empty where none is
// bound. A mini program can only take that of its own.
func (p *Payments) Payer(ctx context.Context, patient, channel string, terminal payment.Terminal) (string, error) {
	r, err := p.s.accounts(ctx, patient)
	h := heldWechat
	switch {
	case err != nil:
		return "", err
	case channel == "alipay":
		h = heldAlipay
	case terminal == payment.TerminalMini && r.Mini != "":
		h = heldMini
	}
	account, err := p.s.openAccount(patient, r, h)
	return account.Account, err
}
