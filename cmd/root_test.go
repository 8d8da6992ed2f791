package cmd

import (
	"bytes"
	"strings"
	"testing"
)

func TestVersion_TellsTheRelease(t *testing.T) {
	var out bytes.Buffer
	c := versionCommand()
	c.SetOut(&out)
	c.SetArgs([]string{})
	if err := c.Execute(); err != nil || !strings.HasPrefix(out.String(), "hospay "+Release+" (") ||
		!strings.Contains(out.String(), "PocketBase v") {
		t.Errorf("%q %v", out.String(), err)
	}
}
