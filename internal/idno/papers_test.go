package idno_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"hospay/internal/idno"
)

// TestPaper_NumbersFitTheirForms by the table that the pages' rule is tested by as well.
func TestPaper_NumbersFitTheirForms(t *testing.T) {
	var cases []struct {
		Paper idno.Paper
		No    string
		Fits  bool
		What  string
	}
	data, err := os.ReadFile("papers.json")
	if err == nil {
		err = json.Unmarshal(data, &cases)
	}
	if err != nil || len(cases) == 0 {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, zone)
	for _, c := range cases {
		no := c.Paper.Form(c.No)
		if got := c.Paper.Fits(no, now, zone); got != c.Fits {
			t.Errorf("%s %s (%s): %v", c.Paper, c.No, c.What, got)
		}
		if again := c.Paper.Form(no); again != no {
			t.Errorf("%s: %s has a second form, %s", c.Paper, no, again)
		}
	}
}

// TestPaper_BirthdaysWithACenturyOnly: nobody is judged by an age that is guessed.
func TestPaper_BirthdaysWithACenturyOnly(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, zone)
	whole := "911124198108030"
	for _, c := range []struct {
		paper idno.Paper
		no    string
		known bool
	}{
		{idno.Permanent, whole + "02" + idno.Checksum(whole+"02"), true},
		{idno.Permanent, "USA110085010112", false},
		{idno.Passport, "EA1234567", false},
		{idno.Residence, "81000019940823002" + idno.Checksum("81000019940823002"), true},
	} {
		if _, known := c.paper.Birth(c.no, now, zone); known != c.known {
			t.Errorf("%s %s: %v", c.paper, c.no, known)
		}
	}
}
