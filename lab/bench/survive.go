package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// measureSurvive backs a full folder up while patients apply, looks into the backup,
// and restores it elsewhere: how long it takes until the restored folder is served.
func (b *bench) measureSurvive(name string) error {
	if _, err := b.start(); err != nil {
		return err
	}
	file, to := filepath.Join(b.work, "big.backup"), filepath.Join(b.work, "restored")
	key := filepath.Join(b.dir, "demo-key.json")
	run := func(args ...string) (time.Duration, error) {
		cmd := exec.Command(b.bin, args...)
		cmd.Env = append(os.Environ(), "HOSPAY_KEY_FILE="+key, "TMPDIR="+b.work)
		begin := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%s: %w\n%s", args[0], err, out)
		}
		return time.Since(begin), nil
	}
	applied := make(chan []time.Duration)
	go func() { applied <- b.apply(4, 20*time.Second) }()
	took, err := run("backup", "--out", file, "--dir", b.dir)
	if err != nil {
		return err
	}
	during := <-applied
	b.add("backup while patients apply, "+name, took.Seconds(), "s", "")
	if info, err := os.Stat(file); err == nil {
		b.add("size of the backup, "+name, float64(info.Size())/1e6, "MB", "")
	}
	if len(during) > 0 {
		b.add("submit p95 meanwhile, 4 clients, "+name, ms(during, 95), "ms", "")
	}
	b.stopServer()
	took, err = run("restore", "--from", file, "--dir", to)
	if err != nil {
		return err
	}
	b.add("restore, "+name, took.Seconds(), "s", "")
	text, err := os.ReadFile(key)
	if err == nil {
		err = os.WriteFile(filepath.Join(to, "demo-key.json"), text, 0o600)
	}
	if err != nil {
		return err
	}
	from := b.dir
	b.dir = to
	served, err := b.start()
	if err != nil {
		return err
	}
	b.add("the restored folder is served after, "+name, served.Seconds(), "s", "")
	b.stopServer()
	if err := b.archive(name); err != nil {
		return err
	}
	b.dir = from
	return nil
}
