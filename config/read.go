package config

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"hospay/channels"
	"hospay/collections"
	"hospay/internal/richtext"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Read returns everything of an institution that its staff may see of its
// configuration. Secrets are told by the names of those that are held.
func (s *Service) Read(ctx context.Context, institution string) (map[string]any, error) {
	out := map[string]any{}
	for name, part := range map[string]func(string) (any, error){
		"institution": s.readInstitution, "channels": s.readChannels, "his": s.one(collections.HISConfigs), "sms": s.one(collections.SMSConfigs),
		"review": s.one(collections.ReviewSettings), "notices": s.readNotices, "texts": s.all(collections.NotificationTexts), "staff": s.readStaff,
	} {
		v, err := part(institution)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	_, waiting, err := s.Store.Changes(ctx, institution, store.ChangeFilter{State: collections.ChangeWaiting, Page: 1, PerPage: 1})
	out["waiting"] = waiting
	return out, err
}

// show writes a record with what its kind lists and nothing else.
func show(rec *core.Record) map[string]any {
	out := map[string]any{"id": rec.Id, "updated": rec.GetDateTime("updated")}
	for _, f := range kinds()[rec.Collection().Name].fields {
		if f.name != "secrets" && rec.Collection().Fields.GetByName(f.name) != nil {
			out[f.name] = plain(rec.Get(f.name))
		}
	}
	if takesSecrets(rec.Collection()) {
		out["secrets_held"] = heldNames(rec)
	}
	return out
}

func heldNames(rec *core.Record) []string {
	out := []string{}
	for _, name := range strings.Split(rec.GetString("secrets_held"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

func (s *Service) records(collection, institution, sort string) ([]*core.Record, error) {
	return s.App.FindRecordsByFilter(collection, "institution = {:i}", sort, 500, 0, dbx.Params{"i": institution})
}

// all shows every record of a collection.
func (s *Service) all(collection string) func(string) (any, error) {
	return func(institution string) (any, error) {
		recs, err := s.records(collection, institution, "created")
		out := []map[string]any{}
		for _, r := range recs {
			out = append(out, show(r))
		}
		return out, err
	}
}

// one shows the record of a collection that has one per institution, the
// active one first, or null.
func (s *Service) one(collection string) func(string) (any, error) {
	return func(institution string) (any, error) {
		recs, err := s.records(collection, institution, "-created")
		if err != nil || len(recs) == 0 {
			return nil, err
		}
		if at := slices.IndexFunc(recs, func(r *core.Record) bool { return r.GetBool("active") }); at > 0 {
			return show(recs[at]), nil
		}
		return show(recs[0]), nil
	}
}

func (s *Service) readInstitution(id string) (any, error) {
	rec, err := s.App.FindRecordById(collections.Institutions, id)
	if err != nil {
		return nil, err
	}
	out := show(rec)
	out["code"], out["payouts_frozen"], out["freeze_note"] = rec.GetString("code"), rec.GetBool("payouts_frozen"), rec.GetString("freeze_note")
	return out, nil
}

// setting is a channel's setting with its value, as a page shows it.
type setting struct {
	Name    string            `json:"name"`
	Label   string            `json:"label"`
	Kind    string            `json:"kind"`
	Choices []channels.Choice `json:"choices,omitempty"`
	Default string            `json:"default"`
	Help    string            `json:"help"`
	Value   string            `json:"value"`
}

// secret is a secret by its name.
type secret struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Kind  string `json:"kind"`
	Help  string `json:"help"`
	Held  bool   `json:"held"`
}

// readChannels shows the channels that are configured, and those that could be.
func (s *Service) readChannels(institution string) (any, error) {
	recs, err := s.records(collections.ChannelConfigs, institution, "-channel")
	if err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for _, name := range slices.Backward(channels.Names()) {
		at := slices.IndexFunc(recs, func(r *core.Record) bool { return r.GetString("channel") == name })
		item := map[string]any{"id": "", "channel": name, "active": false}
		values, names := map[string]string{}, []string{}
		if at >= 0 {
			item, names = show(recs[at]), heldNames(recs[at])
			if values, err = store.SettingsOf(recs[at]); err != nil {
				return nil, err
			}
		}
		item["settings"], item["secrets"] = describeChannel(name, values, names)
		out = append(out, item)
	}
	return out, nil
}

func describeChannel(name string, values map[string]string, names []string) ([]setting, []secret) {
	sets, secs := []setting{}, []secret{}
	for _, f := range channels.Describe(name) {
		if f.Secret {
			secs = append(secs, secret{Name: f.Name, Label: f.Label, Kind: string(f.Kind), Help: f.Help, Held: slices.Contains(names, f.Name)})
			continue
		}
		sets = append(sets, setting{Name: f.Name, Label: f.Label, Kind: string(f.Kind), Choices: f.Choices, Default: f.Default, Help: f.Help, Value: values[f.Name]})
	}
	return sets, secs
}

func (s *Service) readNotices(institution string) (any, error) {
	recs, err := s.records(collections.Notices, institution, "-created")
	out := []map[string]any{}
	for _, r := range recs {
		item := show(r)
		item["version"], item["created"], item["content"] = r.GetString("version"), r.GetDateTime("created"), richtext.Sanitize(r.GetString("content"))
		out = append(out, item)
	}
	return out, err
}

// readStaff shows accounts without anything by which one could enter.
func (s *Service) readStaff(institution string) (any, error) {
	recs, err := s.records(collections.Staff, institution, "name")
	if err != nil {
		return nil, err
	}
	var last []struct {
		Record  string `db:"record"`
		Created string `db:"created"`
	}
	err = s.App.ConcurrentDB().NewQuery("SELECT record, MAX(created) AS created FROM config_changes WHERE collection = 'staff' AND institution = {:i} AND state = 'applied' GROUP BY record").
		Bind(dbx.Params{"i": institution}).All(&last)
	changed := map[string]string{}
	for _, l := range last {
		changed[l.Record] = l.Created
	}
	out := []map[string]any{}
	for _, r := range recs {
		row, err := s.Store.SecurityOf(r.Id)
		if err != nil {
			return nil, err
		}
		out = append(out, map[string]any{
			"id": r.Id, "name": r.GetString("name"), "email": r.Email(), "roles": r.GetStringSlice("roles"), "active": r.GetBool("active"),
			"locked":     collections.Now(s.App).Before(row.LockedUntil.Time()),
			"identified": r.GetString("person_index") != "", "last_change": changed[r.Id],
		})
	}
	return out, err
}

// Show writes a change as pages see it. Names tells who the people are.
func Show(c store.ConfigChange, names func(string) string) map[string]any {
	person := func(kind, id string) any {
		if id == "" {
			return nil
		}
		return map[string]any{"kind": kind, "id": id, "name": names(id)}
	}
	return map[string]any{
		"id": c.ID, "target": Target{Collection: c.Collection, ID: c.Record}, "new": c.Fresh, "version": c.Version,
		"before": json.RawMessage(c.Before), "after": json.RawMessage(c.After), "note": c.Note, "sensitive": c.Sensitive, "state": c.State,
		"proposer": person(c.ProposerKind, c.Proposer), "confirmer": person("staff", c.Confirmer), "answer": c.Answer,
		"created": c.Created, "decided": c.Decided,
	}
}
