package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"hospay/collections"
)

// TestShown_HoldsWhatTheKindsList: what a kind lets staff change is shown.
func TestShown_HoldsWhatTheKindsList(t *testing.T) {
	shown := map[string]any{
		collections.Institutions: InstitutionSettings{}, collections.ChannelConfigs: ChannelSettings{}, collections.HISConfigs: HISSettings{},
		collections.CentreConfigs: CentreSettings{}, collections.Kiosks: KioskSettings{},
		collections.SMSConfigs: SMSSettings{}, collections.ReviewSettings: ReviewRules{}, collections.Notices: NoticeText{},
		collections.NotificationTexts: NotificationWords{}, collections.Staff: StaffAccount{},
	}
	for name, k := range kinds() {
		form, ok := shown[name]
		if !ok {
			t.Errorf("%s is not shown", name)
			continue
		}
		var have []string
		for f := range reflect.TypeOf(form).Fields() {
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			have = append(have, tag)
		}
		for _, f := range k.fields {
			if f.name != "secrets" && !slices.Contains(have, f.name) {
				t.Errorf("%s.%s may be changed and is not shown", name, f.name)
			}
		}
	}
}
