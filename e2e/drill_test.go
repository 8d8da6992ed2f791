package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"hospay/lab/demo"
	"hospay/lab/invariant"
)

// TestDrill_BackupUnderLoadIsRestoredAndReleased is what a hospital does when its
// server is lost: the backup was made while orders were under way, they went on
// for a while, then there is only the backup. What is restored moves nothing, asks
// what has happened, is released by two people, and in the end all books agree.
// DRILLS says how often.
func TestDrill_BackupUnderLoadIsRestoredAndReleased(t *testing.T) {
	for i := range number("DRILLS", 1) {
		t.Run(strconv.Itoa(i+1), func(t *testing.T) { drillOnce(t, int64(i+1)) })
	}
}

func drillOnce(t *testing.T, seed int64) {
	k := newKillRun(t)
	k.start()
	k.faults(seed)
	k.load(30, 0)
	file := filepath.Join(t.TempDir(), "night.backup")
	var made atomic.Bool
	go func() { // people go on reviewing, payees confirm, the worker pays
		defer made.Store(true)
		out, err := exec.Command(k.bin, "backup", "--dir", k.dir, "--out", file).CombinedOutput()
		if err != nil {
			t.Errorf("backup: %v\n%s", err, out)
		}
	}()
	k.review(made.Load)
	if t.Failed() {
		return
	}
	rounds := 30 + k.rng.IntN(100)
	k.review(func() bool { rounds--; return rounds < 0 }) // what the backup does not know
	k.kill()

	key := filepath.Join(k.dir, "demo-key.json")
	k.env = []string{"HOSPAY_ENV=demo", "HOSPAY_KEY_FILE=" + key}
	k.dir = filepath.Join(t.TempDir(), "restored")
	again := exec.Command(k.bin, "restore", "--from", file, "--dir", k.dir)
	again.Env = append(os.Environ(), k.env...)
	k.do(again)
	before := k.ledgers()
	k.start()
	k.faults(0)
	k.frozen(before)
	k.release()
	k.finish()
	// the copy writes down later what the original had sent
	t.Log(k.verify(invariant.IntentFirst))
}

// review approves what waits until something is over.
func (k *killRun) review(over func() bool) {
	staff, err := k.api.Staff(context.Background(), "reviewer1")
	k.must(err)
	for !over() {
		k.approve(staff, 3)
		time.Sleep(20 * time.Millisecond)
	}
}

// approve approves some of the orders that wait for it.
func (k *killRun) approve(staff string, some int) {
	var page struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	k.must(k.api.Call(context.Background(), "GET", "/api/collections/refund_orders/records?skipTotal=1&filter=status='reviewing'&perPage="+
		strconv.Itoa(some), staff, nil, &page))
	for _, o := range page.Items {
		_ = k.api.Call(context.Background(), "POST", "/api/collections/reviews/records", staff,
			map[string]any{"order": o.ID, "decision": "approve"}, nil)
	}
}

func (k *killRun) ledgers() invariant.Ledgers {
	k.Helper()
	l, err := invariant.Fetch(invariant.One(k.at.HIS, k.at.Centre, k.at.WeChat, k.at.Alipay))
	k.must(err)
	return l
}

// frozen sees that the restored server takes no application, and that nothing it
// does before its release moves money.
func (k *killRun) frozen(before invariant.Ledgers) {
	k.Helper()
	p, err := k.api.Login(context.Background(), k.at.Portal, "P0090", "wechat")
	k.must(err)
	_, err = k.api.Apply(context.Background(), p, demo.Wish{Channel: "wechat", Method: "transfer", Amount: 100})
	var refused *demo.APIError
	if !errors.As(err, &refused) || refused.Code != "restored_copy" {
		k.Errorf("an application to a restored copy: %v", err)
	}
	for range 240 {
		if k.restored().Unchecked == 0 {
			break
		}
		time.Sleep(250 * time.Millisecond)
	}
	if s := k.restored(); !s.Marked || s.Why != "restored" || s.Unchecked > 0 {
		k.Fatalf("%+v", s)
	}
	if was, is := asked(before), asked(k.ledgers()); was != is {
		k.Errorf("a copy that is not released asks to move money: %d requests, then %d", was, is)
	}
}

// asked counts the requests that move money.
func asked(l invariant.Ledgers) (n int) {
	for _, r := range l.Requests {
		switch r.Alias {
		case "debit", "reverse", "transfer", "refund":
			n++
		}
	}
	return n
}

// restoredState is the answer of GET /api/hospay/restored.
type restoredState struct {
	Marked    bool
	Why       string
	Unchecked int
	Proposal  *struct{ Name string }
}

func (k *killRun) restored() (s restoredState) {
	k.Helper()
	staff, err := k.api.Staff(context.Background(), "finance")
	k.must(err)
	k.must(k.api.Call(context.Background(), "GET", "/api/hospay/restored", staff, nil, &s))
	return s
}

// release is done by two people.
func (k *killRun) release() {
	k.Helper()
	call := func(who, act string, body map[string]any) (s restoredState) {
		staff, err := k.api.Staff(context.Background(), who)
		k.must(err)
		k.must(k.api.Call(context.Background(), "POST", "/api/hospay/restored/"+act, staff, body, &s))
		return s
	}
	wish := call("finance", "release", map[string]any{"note": "逐笔核对无误"})
	if s := call("config", "confirm", map[string]any{"seen": wish.Proposal.Name}); s.Marked {
		k.Fatalf("%+v", s)
	}
}
