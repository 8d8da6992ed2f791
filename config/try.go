package config

import (
	"context"

	"hospay/centre"
	"hospay/channels"
	"hospay/collections"
	"hospay/flow"
	"hospay/people"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Channel returns an institution's connection to a channel, on or off; with a
// waiting change as it would be with its values. It makes no call.
func (s *Service) Channel(ctx context.Context, institution, channel, change string) (channels.Channel, error) {
	if change == "" {
		c, err := s.Store.Connection(ctx, institution, channel)
		return c, wrong(err)
	}
	d, _, err := s.proposed(institution, change, collections.ChannelConfigs)
	if err != nil {
		return nil, err
	}
	if d.rec.GetString("channel") != channel {
		return nil, flow.ErrNotFound
	}
	return s.Store.TryChannel(d.rec, d.secrets)
}

// HIS returns the connection to the HIS of the tester's institution; with a
// waiting change as it would be with its values. A mapping puts passwords into
// its requests, so that who proposes a new address does not alone make the
// program send it those that are held.
func (s *Service) HIS(ctx context.Context, tester *core.Record, change string) (refund.HIS, refund.HISTraits, error) {
	institution := tester.GetString("institution")
	if change == "" {
		h, traits, err := s.Store.HIS(ctx, institution)
		return h, traits, wrong(err)
	}
	d, c, err := s.proposed(institution, change, collections.HISConfigs)
	if err != nil {
		return nil, refund.HISTraits{}, err
	}
	if d.takesHeld("base_url") && rule.May(people.Confirm, of(s.App, c), store.MemberOf(tester), people.Seen{}) != nil {
		return nil, refund.HISTraits{}, flow.NewError(CodeTestByAnother, "")
	}
	return s.Store.TryHIS(d.rec, d.secrets, nil)
}

// Centre returns the connection to the insurance centre of the tester's
// institution; with a waiting change as it would be with its values. It makes no
// call. Requests are signed with held keys, which prove who we are to whoever gets
// them, so that who proposes a new address does not alone make the program send
// them there.
func (s *Service) Centre(ctx context.Context, tester *core.Record, change string) (*centre.Client, error) {
	institution := tester.GetString("institution")
	if change == "" {
		c, err := s.Store.CentreClient(ctx, institution)
		return c, wrong(err)
	}
	d, c, err := s.proposed(institution, change, collections.CentreConfigs)
	if err != nil {
		return nil, err
	}
	if d.takesHeld("base_url") && rule.May(people.Confirm, of(s.App, c), store.MemberOf(tester), people.Seen{}) != nil {
		return nil, flow.NewError(CodeTestByAnother, "")
	}
	return s.Store.TryCentre(d.rec, d.secrets)
}

// takesHeld reports whether a draft takes secrets that it does not bring to
// another address.
func (d *draft) takesHeld(address string) bool {
	if d.fresh || d.rec.GetString(address) == d.old.fields[address] {
		return false
	}
	for name := range d.old.secrets {
		if d.given[name] == "" && d.secrets[name] != "" {
			return true
		}
	}
	return false
}

// proposed builds the draft of a waiting change of a collection.
func (s *Service) proposed(institution, change, collection string) (*draft, store.ConfigChange, error) {
	c, err := s.Store.Change(s.App, institution, change)
	if err != nil || c.Collection != collection {
		return nil, c, flow.ErrNotFound
	}
	if c.State != collections.ChangeWaiting {
		return nil, c, flow.NewError(CodeMoved, "")
	}
	d, _, err := s.restore(s.App, c)
	return d, c, err
}

// Connections returns the connections of an institution's channels that can be
// built, by name.
func (s *Service) Connections(ctx context.Context, institution string) (map[string]channels.Channel, error) {
	var names []string
	err := s.App.ConcurrentDB().Select("channel").From(collections.ChannelConfigs).Where(dbx.HashExp{"institution": institution}).
		WithContext(ctx).Column(&names)
	out := map[string]channels.Channel{}
	for _, name := range names {
		if c, err := s.Store.Connection(ctx, institution, name); err == nil {
			out[name] = c
		}
	}
	return out, err
}
