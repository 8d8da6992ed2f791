package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/demo"
)

// TestLitestream_WhatIsLostWhenTheMachineIs replicates a folder as
// deploy/litestream.yml says, with the real program, while patients apply; then the
// machine is gone from one moment to the next, and the copy is restored. What is there
// is what was committed at one moment: no order is missing between others, and the
// database is whole. How long before the end that moment lies is told, not judged.
// The restored folder begins frozen. LITESTREAM is the program.
func TestLitestream_WhatIsLostWhenTheMachineIs(t *testing.T) {
	bin := os.Getenv("LITESTREAM")
	if bin == "" {
		t.Skip("make litestream-try runs it")
	}
	k := newKillRun(t)
	k.start()
	root := t.TempDir()
	sample, err := os.ReadFile("../deploy/litestream.yml")
	k.must(err)
	text := strings.NewReplacer("/var/lib/hospay/data.db", filepath.Join(k.dir, "data.db"), "/mnt/backup/hospay-litestream",
		filepath.Join(root, "replica")).Replace(string(sample))
	conf := filepath.Join(root, "litestream.yml")
	k.must(os.WriteFile(conf, []byte(text), 0o600))
	log, err := os.Create(filepath.Join(root, "log"))
	k.must(err)
	defer log.Close()
	copying := exec.Command(bin, "replicate", "-config", conf)
	copying.Stdout, copying.Stderr = log, log
	k.must(copying.Start())
	acked := k.acknowledged(8 * time.Second)
	_ = copying.Process.Signal(syscall.SIGKILL)
	k.kill()
	gone := time.Now()
	_ = copying.Wait()
	to := filepath.Join(root, "restored")
	k.must(os.Mkdir(to, 0o700))
	if out, err := exec.Command(bin, "restore", "-config", conf, "-o", filepath.Join(to, "data.db"), filepath.Join(k.dir, "data.db")).
		CombinedOutput(); err != nil {
		said, _ := os.ReadFile(log.Name())
		t.Fatalf("restore: %v\n%s\n%s", err, out, said)
	}
	k.lostBefore(to, acked, gone)
	k.do(exec.Command("chmod", "-R", "go=", to)) // as the sample says
	key, err := os.ReadFile(filepath.Join(k.dir, "demo-key.json"))
	k.must(err)
	k.must(os.WriteFile(filepath.Join(to, "demo-key.json"), key, 0o600))
	k.dir = to
	k.start()
	defer k.kill()
	db, err := collections.Connect(filepath.Join(to, "data.db"))
	k.must(err)
	defer db.Close()
	if mark, err := collections.CopyOf(db); err != nil || mark == nil {
		t.Errorf("the restored folder is not frozen: %v %v", mark, err)
	}
}

type acknowledgement struct {
	id string
	at time.Time
}

// acknowledged lets patients apply for a while and tells what they were told.
func (k *killRun) acknowledged(load time.Duration) (all []acknowledgement) {
	var mu sync.Mutex
	var g sync.WaitGroup
	end := time.Now().Add(load)
	for _, p := range k.people[:16] {
		g.Go(func() {
			for time.Now().Before(end) {
				o, err := k.api.Apply(k.Context(), p, demo.Wish{Channel: p.Via, Method: "transfer", Amount: 100})
				if err != nil {
					time.Sleep(10 * time.Millisecond)
					continue
				}
				mu.Lock()
				all = append(all, acknowledgement{o.ID, time.Now()})
				mu.Unlock()
			}
		})
	}
	g.Wait()
	return all
}

// lostBefore compares what people were told with what a restored database holds.
func (k *killRun) lostBefore(dir string, acked []acknowledgement, gone time.Time) {
	db, err := collections.Connect(filepath.Join(dir, "data.db"))
	k.must(err)
	defer db.Close()
	var whole string
	k.must(db.NewQuery("PRAGMA integrity_check").Row(&whole))
	var rows []struct {
		ID     string `db:"id"`
		Events int    `db:"events"`
	}
	k.must(db.NewQuery("SELECT id, (SELECT COUNT(*) FROM refund_events e WHERE e.`order` = o.id) AS events FROM refund_orders o").All(&rows))
	have := map[string]bool{}
	for _, r := range rows {
		if have[r.ID] = true; r.Events == 0 {
			k.Errorf("order %s has no events", r.ID)
		}
	}
	var first, last time.Time // acknowledged: the first that is lost, the last that is there
	lost := 0
	for _, a := range acked {
		switch {
		case have[a.id]:
			if a.at.After(last) {
				last = a.at
			}
		default:
			if lost++; first.IsZero() || a.at.Before(first) {
				first = a.at
			}
		}
	}
	// Answers of one commit reach their clients within a moment of each other.
	if whole != "ok" || last.IsZero() || lost > 0 && first.Before(last.Add(-time.Second)) {
		k.Errorf("integrity %s; %d of %d lost, the first %s before the last that is there", whole, lost, len(acked), last.Sub(first))
	}
	if lost > 0 {
		k.Logf("%d acknowledged, %d lost: what was told in the last %s", len(acked), lost, gone.Sub(first).Round(time.Millisecond))
	} else {
		k.Logf("%d acknowledged, none lost; the last %s before the end", len(acked), gone.Sub(last).Round(time.Millisecond))
	}
}
