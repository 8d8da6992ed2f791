package main

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"hospay/lab/bookgen"

	_ "modernc.org/sqlite"
)

// measureReconcile runs `hospay reconcile` over generated books of n orders,
// and the same join in SQLite beside it.
func (b *bench) measureReconcile(sizes []string) error {
	for _, size := range sizes {
		n, err := strconv.Atoi(size)
		if err != nil {
			return err
		}
		if err := b.reconcileOnce(n); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) reconcileOnce(n int) error {
	dir, err := os.MkdirTemp("", "hospay-recon")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	day := bookgen.Make(bookgen.Options{Seed: 1, Date: "2026-11-23", Orders: n, Each: 20})
	files, err := day.Write(dir)
	if err != nil {
		return err
	}
	args := []string{"reconcile", "--date", "2026-11-23", "--platform", files.Platform, "--his", files.HIS, "--out",
		filepath.Join(dir, "out.xlsx"), "--json", filepath.Join(dir, "out.json")}
	for _, c := range files.Channels {
		args = append(args, "--channel", c)
	}
	took, peak, err := b.runReconcile(args)
	if err != nil {
		return err
	}
	name, aim := fmt.Sprintf("reconcile 3 × %d lines", n), map[int]string{30_000: "≤ 1", 1_000_000: "≤ 10"}[n]
	b.add(name, took.Seconds(), "s", aim)
	b.add(name+", peak memory", peak, "MiB", "≤ 1024")
	took, err = joinInSQLite(day, filepath.Join(dir, "join.db"))
	b.add(name+", load and join in SQLite", took.Seconds(), "s", "")
	return err
}

// runReconcile runs the program and watches its largest resident set. The
// kernel's own figure for a child begins with the parent's, hence the watching.
func (b *bench) runReconcile(args []string) (took time.Duration, peak float64, err error) {
	run, begin, done := exec.Command(b.bin, args...), time.Now(), make(chan error, 1)
	if err := run.Start(); err != nil {
		return 0, 0, err
	}
	go func() { done <- run.Wait() }()
	for {
		select {
		case err := <-done:
			if run.ProcessState.ExitCode() != 2 { // differences were planted
				return 0, 0, fmt.Errorf("reconcile: %w", err)
			}
			return time.Since(begin), peak, nil
		case <-time.After(10 * time.Millisecond):
			if now, err := memory(run.Process.Pid, "VmHWM:"); err == nil {
				peak = max(peak, now)
			}
		}
	}
}

// joinInSQLite loads the three books into SQLite without any safety and joins
// them by number, which finds missing rows and differing amounts or states: a
// part of what the engine tells.
func joinInSQLite(day *bookgen.Day, path string) (time.Duration, error) {
	begin := time.Now()
	db, err := sql.Open("sqlite", path+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-200000)")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	books := map[string][][]bookgen.Row{"platform": {day.Platform}, "his": {day.HIS}, "channel": {day.Operation, day.Basic, day.Ledger}}
	for name, lists := range books {
		if err := load(db, name, lists); err != nil {
			return 0, err
		}
	}
	rows, err := db.Query(`SELECT p.bill, c.bill, h.bill FROM platform p
		FULL OUTER JOIN channel c ON c.bill = p.bill FULL OUTER JOIN his h ON h.bill = coalesce(p.bill, c.bill)
		WHERE p.bill IS NULL OR c.bill IS NULL OR h.bill IS NULL OR p.fen <> c.fen OR p.fen <> h.fen OR p.status <> h.status OR p.card <> h.card`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	found := 0
	for rows.Next() {
		found++
	}
	if err := rows.Err(); err != nil || found == 0 {
		return 0, fmt.Errorf("join in SQLite found %d: %w", found, err)
	}
	return time.Since(begin), nil
}

func load(db *sql.DB, table string, lists [][]bookgen.Row) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec("CREATE TABLE " + table + " (bill TEXT, card TEXT, fen INTEGER, status TEXT, at INTEGER)"); err != nil {
		return err
	}
	put, err := tx.Prepare("INSERT INTO " + table + " VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	for _, rows := range lists {
		for _, r := range rows {
			if _, err := put.Exec(r.Bill, r.Card, r.Fen, r.Status, r.At.Unix()); err != nil {
				return err
			}
		}
	}
	if _, err := tx.Exec("CREATE INDEX " + table + "_bill ON " + table + " (bill)"); err != nil {
		return err
	}
	return tx.Commit()
}
