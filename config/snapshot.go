package config

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"hospay/channels"
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// The words that stand for a secret in the history.
const (
	held    = "已设置"
	notHeld = "未设置"
)

// snapshot is what a record holds, field by field, with its secrets open. It
// stays in memory.
type snapshot struct {
	fields  map[string]any
	secrets map[string]string
}

// take reads a record. Fields that the server keeps for itself are left out.
func (s *Service) take(rec *core.Record) (snapshot, error) {
	out := snapshot{fields: map[string]any{}, secrets: map[string]string{}}
	for _, f := range rec.Collection().Fields {
		name := f.GetName()
		if f.GetHidden() || f.Type() == core.FieldTypeAutodate || f.Type() == core.FieldTypePassword ||
			slices.Contains([]string{"id", "secrets_held", "institution", "emailVisibility"}, name) {
			continue
		}
		out.fields[name] = plain(rec.Get(name))
	}
	if rec.Collection().IsAuth() {
		out.secrets["password"], out.secrets["id_no"] = rec.GetString("password:hash"), rec.GetString("person_index")
	}
	if !takesSecrets(rec.Collection()) {
		return out, nil
	}
	secrets, err := s.Store.RecordSecrets(rec)
	maps.Copy(out.secrets, secrets)
	return out, err
}

// plain brings a value into the form in which JSON reads it.
func plain(v any) any {
	b, err := json.Marshal(v)
	var out any
	if err != nil || json.Unmarshal(b, &out) != nil {
		return nil
	}
	return out
}

// index is the blind index of what staff may change of a record. What is
// changed elsewhere, such as a freeze, does not count.
func (s *Service) index(k kind, x snapshot) string {
	fields := map[string]any{}
	for _, f := range k.fields {
		fields[f.name] = x.fields[f.name]
	}
	b, err := json.Marshal([]any{fields, x.secrets}) // maps are written in order of their keys
	if err != nil {
		return ""
	}
	return s.Store.Vault().Index("config", string(b))
}

// differences returns what two snapshots do not share, without secrets.
// Objects named settings are compared setting by setting.
func differences(old, now snapshot) (before, after map[string]any) {
	before, after = map[string]any{}, map[string]any{}
	for _, name := range keys(old.fields, now.fields) {
		a, b := old.fields[name], now.fields[name]
		if reflect.DeepEqual(a, b) || (a == nil && empty(b)) || (b == nil && empty(a)) {
			continue
		}
		if name == "settings" {
			a, b = only(a, b), only(b, a)
		}
		before[name], after[name] = a, b
	}
	was, is := map[string]any{}, map[string]any{}
	for _, name := range keys(old.secrets, now.secrets) {
		if old.secrets[name] != now.secrets[name] {
			was[name], is[name] = word(old.secrets[name]), word(now.secrets[name])
		}
	}
	if len(is) > 0 {
		before["secrets"], after["secrets"] = was, is
	}
	return before, after
}

// empty is what a field without a value holds.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case float64:
		return v == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// only keeps of an object what the other does not hold alike.
func only(v, other any) any {
	m, ok := v.(map[string]any)
	o, _ := other.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for k, x := range m {
		if y, ok := o[k]; !ok || !reflect.DeepEqual(x, y) {
			out[k] = x
		}
	}
	return out
}

func keys[V any](maps ...map[string]V) []string {
	var out []string
	for _, m := range maps {
		for k := range m {
			if !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	slices.Sort(out)
	return out
}

func word(secret string) string {
	if secret == "" {
		return notHeld
	}
	return held
}

func raw(v any) types.JSONRaw {
	b, err := json.Marshal(v)
	if err != nil {
		return types.JSONRaw("null")
	}
	return b
}

// secretNames lists the secrets that a record may hold. Those of an SMS gateway
// are named by its template.
func secretNames(k kind, rec *core.Record) (names []string, any bool) {
	if k.collection == collections.SMSConfigs {
		return nil, true
	}
	names = slices.Clone(k.secretNames)
	if k.collection == collections.ChannelConfigs {
		for _, f := range channels.Describe(rec.GetString("channel")) {
			if f.Secret {
				names = append(names, f.Name)
			}
		}
	}
	return names, k.collection == collections.HISConfigs // a mapping may name its own
}
