package people_test

import (
	"testing"

	"hospay/people"
)

func TestPhone_AsPeopleWriteIt(t *testing.T) {
	for _, s := range []string{"13800138000", "+8613800138000", "8613800138000", "008613800138000", "138 0013 8000",
		"138-0013-8000", "１３８００１３８０００", " +86 138-0013-8000 ", "(+86)13800138000", "138　0013　8000"} {
		if got, ok := people.Phone(s); !ok || got != "13800138000" {
			t.Errorf("%q: %q %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "1380013800", "23800138000", "1380013800a", "138001380000", "+85291234567", "86138001380", "٣٣٣"} {
		if got, ok := people.Phone(s); ok || got != s {
			t.Errorf("%q: %q %v", s, got, ok)
		}
	}
}
