package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"hospay/collections"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// addressFields name the fields of configuration records that hold addresses
// which requests go to.
var addressFields = map[string]string{
	collections.ChannelConfigs: "api_base", collections.HISConfigs: "base_url", collections.SMSConfigs: "url",
	collections.CentreConfigs: "base_url",
}

// addressSettings are the settings of channels that hold more of them.
var addressSettings = []string{"api_host", "oauth_base", "proxy"}

// AddressesOf lists the addresses that a configuration record names. The
// channels' own are not named.
func AddressesOf(rec *core.Record) (out []string) {
	field, ok := addressFields[rec.Collection().Name]
	if !ok {
		return nil
	}
	named := []string{rec.GetString(field)}
	if rec.Collection().Name == collections.ChannelConfigs {
		var settings map[string]any
		if json.Unmarshal([]byte(rec.GetString("settings")), &settings) == nil {
			for _, name := range addressSettings {
				if text, ok := settings[name].(string); ok && text != "environment" {
					named = append(named, text)
				}
			}
		}
	}
	for _, a := range named {
		if a = strings.TrimSpace(a); a != "" && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// Address is an address that an active configuration names.
type Address struct {
	Institution string // its name
	Collection  string
	Record      string
	URL         string
}

// Addresses lists what the active configurations name.
func (s *Store) Addresses() (out []Address, err error) {
	names := map[string]string{}
	for _, collection := range []string{collections.ChannelConfigs, collections.HISConfigs, collections.CentreConfigs,
		collections.SMSConfigs} {
		recs, err := s.app.FindRecordsByFilter(collection, "active = true", "institution", 0, 0)
		if err != nil {
			return nil, err
		}
		for _, rec := range recs {
			inst := rec.GetString("institution")
			if names[inst] == "" {
				house, err := s.app.FindRecordById(collections.Institutions, inst)
				if err != nil {
					return nil, err
				}
				names[inst] = house.GetString("name")
			}
			for _, a := range AddressesOf(rec) {
				out = append(out, Address{names[inst], collection, rec.Id, a})
			}
		}
	}
	return out, nil
}

// ConfirmedByTwo reports whether the present address of a record was proposed by
// one person and confirmed by another.
func (s *Store) ConfirmedByTwo(ctx context.Context, a Address) (bool, error) {
	var after []string
	err := s.app.ConcurrentDB().Select("after").From(collections.ConfigChanges).Where(dbx.And(
		dbx.HashExp{"collection": a.Collection, "record": a.Record, "state": collections.ChangeApplied, "proposer_kind": "staff"},
		dbx.NewExp("confirmer != ''"))).WithContext(ctx).Column(&after)
	if err != nil {
		return false, err
	}
	quoted, err := json.Marshal(a.URL)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(after, func(text string) bool { return strings.Contains(text, string(quoted)) }), nil
}
