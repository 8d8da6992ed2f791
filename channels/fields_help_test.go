package channels_test

import (
	"testing"

	"hospay/channels"
	"hospay/channels/alipay"
	"hospay/channels/wechat"
)

// TestFields_EachSaysWhatItIsFor: the page shows it below the field.
func TestFields_EachSaysWhatItIsFor(t *testing.T) {
	for kind, fields := range map[string][]channels.Field{wechat.Name: wechat.Fields(), alipay.Name: alipay.Fields()} {
		if len(fields) == 0 {
			t.Fatalf("%s has no fields", kind)
		}
		for _, f := range fields {
			if f.Help == "" {
				t.Errorf("%s: %s (%s) says nothing", kind, f.Name, f.Label)
			}
		}
	}
}
