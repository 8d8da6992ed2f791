package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"hospay/lab/bookgen"
)

// pairs is how often what is compared is run, one after the other.
const pairs = 5

// outcome is what one run took.
type outcome struct{ wall, cpu, peak float64 }

// measureReconcile runs `hospay reconcile` over generated books of n orders, and
// beside it, run by run, DuckDB's load and join of the same files and an older
// program, where they are given.
func (b *bench) measureReconcile(sizes []string) error {
	for _, size := range sizes {
		n, err := strconv.Atoi(size)
		if err != nil {
			return err
		}
		if err := b.reconcileSize(n); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) reconcileSize(n int) error {
	dir, err := os.MkdirTemp(b.work, "hospay-recon")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	files, err := bookgen.Make(bookgen.Options{Seed: 1, Date: "2026-11-23", Orders: n, Each: 20}).Write(dir)
	if err != nil {
		return err
	}
	args := []string{"reconcile", "--date", "2026-11-23", "--platform", files.Platform, "--his", files.HIS, "--out",
		filepath.Join(dir, "out.xlsx"), "--json", filepath.Join(dir, "out.json")}
	for _, c := range files.Channels {
		args = append(args, "--channel", c)
	}
	name := fmt.Sprintf("reconcile 3 × %d lines", n)
	sides := []side{{name, func() (outcome, error) { return runReconcile(b.bin, args) }}}
	if b.older != "" {
		sides = append(sides, side{name + ", older program", func() (outcome, error) { return runReconcile(b.older, args) }})
	}
	if b.duckdb != "" {
		sides = append(sides, side{name + ", DuckDB", func() (outcome, error) { return b.runDuckDB(dir) }})
	} else {
		fmt.Fprintln(os.Stderr, "DuckDB is not there (make bench installs it beside the tree): no comparison with it")
	}
	return b.compare(sides)
}

// side is one of the things that are compared.
type side struct {
	name string
	run  func() (outcome, error)
}

// compare runs the sides in turn and adds their medians, and the median of the
// ratios of the runs that stood beside each other.
func (b *bench) compare(sides []side) error {
	all := make([][]outcome, len(sides))
	for range pairs {
		for i, s := range sides {
			o, err := s.run()
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			all[i] = append(all[i], o)
		}
	}
	for i, s := range sides {
		b.add(s.name, median(all[i], func(o outcome) float64 { return o.wall }), "s", "")
		b.add(s.name+", processor", median(all[i], func(o outcome) float64 { return o.cpu }), "s", "")
		aim := ""
		if i == 0 {
			aim = "≤ 300"
		}
		b.add(s.name+", peak memory", median(all[i], func(o outcome) float64 { return o.peak }), "MiB", aim)
		if i == 0 {
			continue
		}
		var wall, cpu []float64
		for run := range pairs {
			wall, cpu = append(wall, all[0][run].wall/all[i][run].wall), append(cpu, all[0][run].cpu/all[i][run].cpu)
		}
		slices.Sort(wall)
		slices.Sort(cpu)
		b.add(s.name+", ratio of wall times", wall[pairs/2], "", "≤ 0.7")
		b.add(s.name+", ratio of processor times", cpu[pairs/2], "", "")
	}
	return nil
}

func median(all []outcome, of func(outcome) float64) float64 {
	var list []float64
	for _, o := range all {
		list = append(list, of(o))
	}
	slices.Sort(list)
	return list[len(list)/2]
}

// runReconcile runs a program and watches its largest resident set. The
// kernel's own figure for a child begins with the parent's, hence the watching.
func runReconcile(bin string, args []string) (o outcome, err error) {
	run := exec.Command(bin, args...)
	said := &tail{}
	run.Stderr = said
	if o, err = watch(run); run.ProcessState != nil && run.ProcessState.ExitCode() == 2 { // differences were planted
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("%w: %s", err, said.last)
	}
	return o, err
}

func watch(run *exec.Cmd) (o outcome, err error) {
	begin, done := time.Now(), make(chan error, 1)
	if err := run.Start(); err != nil {
		return o, err
	}
	go func() { done <- run.Wait() }()
	for {
		select {
		case err := <-done:
			o.wall = time.Since(begin).Seconds()
			o.cpu = (run.ProcessState.UserTime() + run.ProcessState.SystemTime()).Seconds()
			return o, err
		case <-time.After(10 * time.Millisecond):
			if now, err := memory(run.Process.Pid, "VmHWM:"); err == nil {
				o.peak = max(o.peak, now)
			}
		}
	}
}

// runDuckDB takes DuckDB's own word for the time, without the start of node.
func (b *bench) runDuckDB(dir string) (outcome, error) {
	run := exec.Command("node", "lab/bench/duckdb.mjs", dir, dir)
	run.Env = append(os.Environ(), "DUCKDB="+b.duckdb)
	out := &tail{}
	run.Stdout, run.Stderr = out, os.Stderr
	o, err := watch(run)
	var told struct {
		All   float64
		Found int
	}
	if err == nil {
		err = json.Unmarshal(out.last, &told)
	}
	if err == nil && told.Found == 0 {
		err = fmt.Errorf("it found no difference")
	}
	o.wall = told.All / 1000
	return o, err
}

// tail keeps what was written last.
type tail struct{ last []byte }

// Write keeps it.
func (t *tail) Write(p []byte) (int, error) {
	t.last = append(t.last[:0], p...)
	return len(p), nil
}
