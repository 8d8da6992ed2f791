package config

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"hospay/channels"
	"hospay/collections"
	"hospay/flow"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// draft puts the values on a copy of the record and checks the result. It
// writes nothing and calls nobody.
func (s *Service) draft(app core.App, institution string, t Target, v Values) (*draft, error) {
	k, ok := kinds()[t.Collection]
	if !ok || len(v) == 0 {
		return nil, errNotAllowed
	}
	d := &draft{kind: k, values: v}
	if err := s.find(app, institution, t.ID, d); err != nil {
		return nil, err
	}
	for name := range v {
		f, ok := k.field(name)
		known := name == "secrets" || d.rec.Collection().Fields.GetByName(name) != nil
		if !ok || !known || (f.onCreate && !d.fresh) {
			return nil, errNotAllowed
		}
	}
	var err error
	if d.old, err = s.take(d.rec); err != nil {
		return nil, err
	}
	if d.fresh {
		d.old = snapshot{}
	}
	if err := d.fill(); err != nil {
		return nil, err
	}
	if err := k.check(s, app, d); err != nil {
		return nil, wrong(err)
	}
	return d, nil
}

// find loads the record of the institution, or makes a new one.
func (s *Service) find(app core.App, institution, id string, d *draft) error {
	if id == "" {
		if !d.kind.creatable {
			return errNotAllowed
		}
		c, err := app.FindCachedCollectionByNameOrId(d.kind.collection)
		if err != nil {
			return err
		}
		d.rec, d.fresh = core.NewRecord(c), true
		d.rec.Id = core.GenerateDefaultRandomId()
		d.rec.Set("institution", institution)
		return nil
	}
	rec, err := app.FindRecordById(d.kind.collection, id)
	if err != nil || houseOf(rec) != institution {
		return flow.ErrNotFound
	}
	d.rec = rec
	return nil
}

// houseOf is the institution of a configuration record.
func houseOf(rec *core.Record) string {
	if rec.Collection().Name == collections.Institutions {
		return rec.Id
	}
	return rec.GetString("institution")
}

func (d *draft) fill() error {
	for name, v := range d.values {
		switch name {
		case "secrets":
		case "settings":
			if err := d.fillSettings(); err != nil {
				return err
			}
		default:
			v, err := d.readText(name, v)
			if err != nil {
				return err
			}
			d.rec.Set(name, v)
		}
	}
	return d.fillSecrets()
}

// readText trims a value that is a text; where the record needs one, blanks are
// none.
func (d *draft) readText(name string, v any) (any, error) {
	f, isText := d.rec.Collection().Fields.GetByName(name).(*core.TextField)
	s, given := v.(string)
	if !isText || !given {
		return v, nil
	}
	s, err := flow.Optional(s)
	if err == nil && f.Required {
		if s, err = flow.Required(s, CodeInvalid); flow.CodeOf(err) == CodeInvalid {
			return nil, invalid(name + " 不能为空，至少两个字")
		}
	}
	return s, err
}

// fillSettings changes single settings and leaves the others.
func (d *draft) fillSettings() error {
	if d.kind.collection != collections.ChannelConfigs { // a text of its own, replaced as a whole
		d.rec.Set("settings", d.values["settings"])
		return nil
	}
	given, err := d.values.texts("settings")
	if err != nil {
		return err
	}
	have, err := store.SettingsOf(d.rec)
	if err != nil {
		return err
	}
	channel := d.rec.GetString("channel")
	if c, ok := d.values["channel"].(string); ok {
		channel = c
	}
	known := channels.Describe(channel)
	for k, v := range given {
		if !slices.ContainsFunc(known, func(f channels.Field) bool { return f.Name == k && !f.Secret }) {
			return invalid("没有名为 " + k + " 的设置")
		}
		if have[k] = v; v == "" {
			delete(have, k)
		}
	}
	d.rec.Set("settings", have)
	return nil
}

// fillSecrets merges the given secrets into those that are held.
func (d *draft) fillSecrets() error {
	given, err := d.values.texts("secrets")
	if err != nil {
		return err
	}
	names, any := secretNames(d.kind, d.rec)
	for k := range given {
		if !any && !slices.Contains(names, k) {
			return invalid("没有名为 " + k + " 的密钥")
		}
	}
	d.given, d.secrets = given, map[string]string{}
	maps.Copy(d.secrets, d.old.secrets)
	for k, v := range given {
		if d.secrets[k] = v; v == "" {
			delete(d.secrets, k)
		}
	}
	return nil
}

// now is what the record will hold.
func (s *Service) now(d *draft) (snapshot, error) {
	x, err := s.take(d.rec)
	maps.Copy(x.secrets, d.secrets)
	for k := range x.secrets {
		if _, ok := d.secrets[k]; !ok {
			delete(x.secrets, k)
		}
	}
	return x, err
}

// save writes the record. The hooks seal the secrets.
func (d *draft) save(tx core.App) error {
	if len(d.given) > 0 && takesSecrets(d.rec.Collection()) {
		b, err := json.Marshal(d.given)
		if err != nil {
			return err
		}
		d.rec.Set("secrets_input", string(b))
	}
	err := tx.Save(d.rec)
	if err == nil || flow.CodeOf(err) != "" {
		return err
	}
	return refused(err)
}

// refused tells a record that the database does not take, by its fields.
func refused(err error) error {
	v, ok := errors.AsType[interface {
		error
		json.Marshaler
	}](err)
	if !ok {
		return err
	}
	var fields map[string]any
	if b, e := v.MarshalJSON(); e != nil || json.Unmarshal(b, &fields) != nil {
		return err
	}
	return invalid("这些字段的值不被接受：" + strings.Join(keys(fields), "、"))
}
