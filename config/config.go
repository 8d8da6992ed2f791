// Package config is how people change the configuration: an allow-list of
// fields, checks before anything is proposed, a second person for what is
// sensitive, and a history that keeps no secret. Decisions are made at the
// moment of effect, in the transaction that writes the record.
package config

import (
	"encoding/json"

	"hospay/flow"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// Codes of refused changes.
const (
	CodeInvalid    flow.Code = "config_invalid"   // Detail says, in Chinese, what is wrong
	CodeUnchanged  flow.Code = "config_unchanged" // nothing would change
	CodeSelf       flow.Code = "self_confirm"     // proposer and confirmer are one person
	CodeOwnRoles   flow.Code = "own_roles"        // nobody changes the own account
	CodeLastConfig flow.Code = "last_config"      // nobody would be left to configure
	CodeRolesClash flow.Code = "roles_clash"      // roles that may not be one account's
	CodeMoved      flow.Code = flow.CodeConflict  // the record is not what the proposal saw
	// CodeTestByAnother keeps held secrets from an address that the tester has
	// proposed.
	CodeTestByAnother flow.Code = "test_by_another"
)

// Service changes the configuration of institutions.
type Service struct {
	App        core.App
	Store      *store.Store
	Production bool // simulators are refused
}

// Target names a configuration record; without an id a new one.
type Target struct {
	Collection string `json:"collection"`
	ID         string `json:"id"`
}

// Values are the new values of a record's fields. "settings" holds single
// settings, of which null or "" removes one; "secrets" likewise.
type Values map[string]any

// texts reads an object of texts, numbers and flags; nothing else is a setting.
func (v Values) texts(key string) (map[string]string, error) {
	out := map[string]string{}
	raw, ok := v[key]
	if !ok || raw == nil {
		return out, nil
	}
	m, ok := raw.(map[string]any)
	if !ok {
		return nil, invalid(key + " 应为对象")
	}
	for k, x := range m {
		switch x := x.(type) {
		case nil:
			out[k] = ""
		case string:
			out[k] = x
		case bool, float64:
			b, err := json.Marshal(x)
			if err != nil {
				return nil, err
			}
			out[k] = string(b)
		default:
			return nil, invalid(key + " 中的 " + k + " 应为文字、数字或开关")
		}
	}
	return out, nil
}

func invalid(why string) error { return flow.NewError(CodeInvalid, why) }

// wrong turns a checker's error into a refusal that says what is wrong.
func wrong(err error) error {
	if err == nil || (flow.CodeOf(err) != "" && !flow.Broken(err)) {
		return err
	}
	return invalid(flow.WordsOf(err))
}

// Proposal is what a staff member wants to change.
type Proposal struct {
	Target Target
	Values Values
	Note   string
}

// Outcome is a change and, once, the first password of a new account.
type Outcome struct {
	store.ConfigChange
	Password string
}

// draft is a record with its new values, not saved.
type draft struct {
	kind    kind
	rec     *core.Record
	values  Values
	fresh   bool
	old     snapshot
	secrets map[string]string // all, with the new ones
	given   map[string]string // the new ones; "" removes
}

var errNotAllowed = flow.NewError(flow.CodeNotAllowed, "")

// sensitive reports whether one of the values needs a second person.
func (d *draft) sensitive() bool {
	if d.fresh && d.kind.freshSensitive {
		return true
	}
	for name := range d.values {
		if d.kind.sensitive(name) {
			return true
		}
	}
	return false
}

// rule says who proposes a change and who decides about it.
var rule = people.Rule{
	Propose: []string{people.RoleConfig}, Confirm: []string{people.RoleFinance, people.RoleConfig}, Same: people.Refusal(CodeSelf),
}

// of is the proposal that a change is, by whom it is as known now.
func of(app core.App, c store.ConfigChange) people.Proposal {
	by := people.By{Kind: people.ByStaff, ID: c.Proposer, Person: c.ProposerPerson}
	return people.Proposal{Institution: c.Institution, Name: c.ID, By: store.MemberNow(app, by)}
}

func clean(note string) (string, error) {
	note, err := flow.Optional(note)
	if err != nil {
		return "", err
	}
	if len([]rune(note)) > 500 {
		return "", invalid("说明最多 500 字")
	}
	return note, nil
}
