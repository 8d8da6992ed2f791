package config

import (
	"context"
	"slices"
	"strings"

	"hospay/calendar"
	"hospay/centre"
	"hospay/channels"
	"hospay/collections"
	"hospay/internal/richtext"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Read returns an institution's configuration.
func (s *Service) Read(ctx context.Context, institution string) (out Configuration, err error) {
	if out.Institution, err = s.readInstitution(institution); err != nil {
		return out, err
	}
	if out.Channels, err = s.readChannels(institution); err != nil {
		return out, err
	}
	if out.HIS, err = one[HISSettings](s, collections.HISConfigs, institution); err != nil {
		return out, err
	}
	if out.Centre, err = one[CentreSettings](s, collections.CentreConfigs, institution); err != nil {
		return out, err
	}
	out.Regions = regions()
	if out.Kiosks, err = s.readKiosks(ctx, institution); err != nil {
		return out, err
	}
	if out.SMS, err = one[SMSSettings](s, collections.SMSConfigs, institution); err != nil {
		return out, err
	}
	if out.Review, err = one[ReviewRules](s, collections.ReviewSettings, institution); err != nil {
		return out, err
	}
	if out.Review != nil && len(out.Review.RejectReasons) == 0 {
		out.Review.RejectReasons = refund.DefaultReasons()
	}
	if out.Notices, err = s.readNotices(institution); err != nil {
		return out, err
	}
	if out.Texts, err = s.readTexts(institution); err != nil {
		return out, err
	}
	if out.Staff, err = s.readStaff(institution); err != nil {
		return out, err
	}
	if out.Connections, err = s.readConnections(ctx, institution); err != nil {
		return out, err
	}
	_, out.Waiting, err = s.Store.Changes(ctx, institution, store.ChangeFilter{State: collections.ChangeWaiting, Page: 1, PerPage: 1})
	return out, err
}

func (s *Service) readKiosks(ctx context.Context, institution string) ([]KioskSettings, error) {
	recs, err := s.records(collections.Kiosks, institution, "place")
	if err != nil {
		return nil, err
	}
	states, err := s.Store.KioskStates(ctx, institution)
	out := []KioskSettings{}
	for _, rec := range recs {
		k, err := show[KioskSettings](rec)
		if err != nil {
			return nil, err
		}
		at := states[k.ID]
		k.EnrolledAt, k.SeenAt, k.CodeUntil = calendar.Clock(at.EnrolledAt), calendar.Clock(at.SeenAt), calendar.Clock(at.CodeUntil)
		out = append(out, k)
	}
	return out, err
}

// regions are the shipped profiles.
func regions() []RegionProfile {
	var out []RegionProfile
	for _, code := range centre.Profiles() {
		r, _ := centre.Profile(code)
		out = append(out, RegionProfile{Code: code, Title: r.Title, Region: r})
	}
	return out
}

func (s *Service) readConnections(ctx context.Context, institution string) ([]ConnectionShown, error) {
	all, err := s.Store.Connections(ctx, institution)
	out := []ConnectionShown{}
	for _, c := range all {
		if c.Current || c.Open > 0 {
			out = append(out, ConnectionShown{ID: c.ID, Name: c.Name, MerchantID: c.MerchantID, AppID: c.AppID, Base: c.Base, Current: c.Current,
				Since: calendar.Clock(c.Created.Time()), LeftAt: calendar.Clock(c.LeftAt.Time()), Open: c.Open})
		}
	}
	return out, err
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

// one shows the record of a collection that has one per institution, the
// active one first, or null.
func one[T any](s *Service, collection, institution string) (*T, error) {
	recs, err := s.records(collection, institution, "-created")
	if err != nil || len(recs) == 0 {
		return nil, err
	}
	at := slices.IndexFunc(recs, func(r *core.Record) bool { return r.GetBool("active") })
	out, err := show[T](recs[max(at, 0)])
	return &out, err
}

func (s *Service) readInstitution(id string) (InstitutionSettings, error) {
	rec, err := s.App.FindRecordById(collections.Institutions, id)
	if err != nil {
		return InstitutionSettings{}, err
	}
	out, err := show[InstitutionSettings](rec)
	out.Code, out.PayoutsFrozen, out.FreezeNote = rec.GetString("code"), rec.GetBool("payouts_frozen"), rec.GetString("freeze_note")
	return out, err
}

// readChannels shows the channels that are configured, and those that could be.
func (s *Service) readChannels(institution string) ([]ChannelSettings, error) {
	recs, err := s.records(collections.ChannelConfigs, institution, "-channel")
	if err != nil {
		return nil, err
	}
	out := []ChannelSettings{}
	for _, name := range slices.Backward(channels.Names()) {
		at := slices.IndexFunc(recs, func(r *core.Record) bool { return r.GetString("channel") == name })
		item, values := ChannelSettings{Channel: name, SecretsHeld: []string{}}, map[string]string{}
		if at >= 0 {
			if item, err = show[ChannelSettings](recs[at]); err != nil {
				return nil, err
			}
			if values, err = store.SettingsOf(recs[at]); err != nil {
				return nil, err
			}
		}
		item.Settings, item.Secrets = describeChannel(name, values, item.SecretsHeld)
		out = append(out, item)
	}
	return out, nil
}

func describeChannel(name string, values map[string]string, names []string) ([]Setting, []Secret) {
	sets, secs := []Setting{}, []Secret{}
	for _, f := range channels.Describe(name) {
		if f.Secret {
			secs = append(secs, Secret{Name: f.Name, Label: f.Label, Kind: string(f.Kind), Help: f.Help, Held: slices.Contains(names, f.Name)})
			continue
		}
		sets = append(sets, Setting{
			Name: f.Name, Label: f.Label, Kind: string(f.Kind), Choices: f.Choices, Default: f.Default, Help: f.Help, Value: values[f.Name],
		})
	}
	return sets, secs
}

func (s *Service) readNotices(institution string) ([]NoticeText, error) {
	recs, err := s.records(collections.Notices, institution, "-created")
	out := []NoticeText{}
	for _, r := range recs {
		item, err := show[NoticeText](r)
		if err != nil {
			return nil, err
		}
		item.Version, item.Created, item.Content = r.GetString("version"), r.GetDateTime("created"), richtext.Sanitize(r.GetString("content"))
		out = append(out, item)
	}
	return out, err
}

func (s *Service) readTexts(institution string) ([]NotificationWords, error) {
	recs, err := s.records(collections.NotificationTexts, institution, "created")
	out := []NotificationWords{}
	for _, r := range recs {
		item, err := show[NotificationWords](r)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, err
}

// readStaff shows accounts without anything by which one could enter.
func (s *Service) readStaff(institution string) ([]StaffAccount, error) {
	recs, err := s.records(collections.Staff, institution, "name")
	if err != nil {
		return nil, err
	}
	var last []struct {
		Record  string `db:"record"`
		Created string `db:"created"`
	}
	err = s.App.ConcurrentDB().NewQuery("SELECT record, MAX(created) AS created FROM config_changes WHERE collection = 'staff' AND " +
		"institution = {:i} AND state = 'applied' GROUP BY record").
		Bind(dbx.Params{"i": institution}).All(&last)
	changed := map[string]string{}
	for _, l := range last {
		changed[l.Record] = l.Created
	}
	out := []StaffAccount{}
	for _, r := range recs {
		row, err := s.Store.SecurityOf(r.Id)
		if err != nil {
			return nil, err
		}
		out = append(out, StaffAccount{
			ID: r.Id, Name: r.GetString("name"), Email: r.Email(), Roles: r.GetStringSlice("roles"), Active: r.GetBool("active"),
			Locked: collections.Now(s.App).Before(row.LockedUntil.Time()), Identified: r.GetString("person_index") != "", LastChange: changed[r.Id],
		})
	}
	return out, err
}
