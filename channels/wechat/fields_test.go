package wechat

import (
	"testing"

	"hospay/channels"
)

// TestFields_AreWhatTheParserReads holds the description to the parser, both ways.
func TestFields_AreWhatTheParserReads(t *testing.T) {
	s := channels.NewSettings(nil, nil)
	read(s, channels.Config{})
	described := map[string]bool{}
	for _, f := range Fields() {
		described[f.Name] = f.Secret
		if secret, ok := s.Read()[f.Name]; !ok || secret != f.Secret {
			t.Errorf("%s is described (secret %v) but read %v (secret %v)", f.Name, f.Secret, ok, secret)
		}
		if f.Label == "" || f.Help == "" || (f.Kind == channels.FieldChoice || f.Kind == channels.FieldMany) != (len(f.Choices) > 0) {
			t.Errorf("%s lacks label, help or choices: %+v", f.Name, f)
		}
	}
	for name, secret := range s.Read() {
		if was, ok := described[name]; !ok || was != secret {
			t.Errorf("%s is read (secret %v) but not described so", name, secret)
		}
	}
}
