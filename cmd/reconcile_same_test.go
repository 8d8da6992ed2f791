package cmd

import (
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hospay/lab/bookgen"
)

// told are the digests of all that a run says of a generated day, taken before
// the engine kept lines in parts: what it says must never change by speed alone.
var told = map[int64]string{1: "4f0aa501fb4d0ba0fcfd64bf", 2: "da2e13a5e966fc56bed4ba4f", 3: "8bc9e1562904314acacec86b"}

func TestReconcile_TellsWhatItAlwaysTold(t *testing.T) {
	for seed, want := range told {
		dir := t.TempDir()
		files, err := bookgen.Make(bookgen.Options{Seed: seed, Date: reconDate, Orders: 900 * int(seed), Each: 3, Noise: true}).Write(dir)
		if err != nil {
			t.Fatal(err)
		}
		r := runReconcile(t, files, nil)
		sum := sha256.New()
		fmt.Fprint(sum, strings.NewReplacer(dir, "", r.dir, "").Replace(r.out+r.stderr))
		data, err := os.ReadFile(filepath.Join(r.dir, "out.json"))
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(data)
		f, err := os.Open(filepath.Join(r.dir, "out.csv.gz"))
		if err != nil {
			t.Fatal(err)
		}
		lines, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(sum, lines); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if got := fmt.Sprintf("%x", sum.Sum(nil)[:12]); got != want {
			t.Errorf("seed %d: %s, was %s", seed, got, want)
		}
	}
}
