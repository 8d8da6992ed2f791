//go:build unix

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hospay/lab/demo"
)

// ask sends a request to the running program and returns its answer.
func (k *killRun) ask(method, path, token string, body any) (int, []byte) {
	k.Helper()
	text, _ := json.Marshal(body)
	req, err := http.NewRequestWithContext(k.Context(), method, "http://"+k.addr+path, bytes.NewReader(text))
	k.must(err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", token)
	res, err := http.DefaultClient.Do(req)
	k.must(err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	k.must(err)
	return res.StatusCode, raw
}

// TestFolder_WhatTheProgramWritesIsItsOwners works with the real program, started
// where files would be everybody's, and walks what it has written: databases,
// storage, statements, exports, backups, temporary files, its own marks.
func TestFolder_WhatTheProgramWritesIsItsOwners(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	k := newKillRun(t)
	k.start()
	defer k.kill()
	k.load(4, 0)
	login := func(collection, who string) string {
		var out struct{ Token string }
		code, raw := k.ask("POST", "/api/collections/"+collection+"/auth-with-password", "",
			map[string]any{"identity": who, "password": demo.Password})
		if err := json.Unmarshal(raw, &out); err != nil || out.Token == "" {
			t.Fatalf("login of %s: %d %s", who, code, raw)
		}
		return out.Token
	}
	finance, super := login("staff", "finance@demo.hospay"), login("_superusers", demo.Superuser)
	if code, raw := k.ask("POST", "/api/hospay/recon/2026-11-02/run", finance, map[string]any{}); code != 200 {
		t.Errorf("run: %d %s", code, raw)
	}
	export := map[string]any{"report": "refunds", "params": map[string]any{}}
	if code, raw := k.ask("POST", "/api/hospay/exports", finance, export); code != 200 {
		t.Errorf("export: %d %s", code, raw)
	}
	if code, raw := k.ask("POST", "/api/backups", super, map[string]any{"name": "modes.zip"}); code != 204 {
		t.Errorf("backup: %d %s", code, raw)
	}
	ctx, end := context.WithTimeout(t.Context(), 20*time.Second)
	defer end()
	want := []string{"data.db", "auxiliary.db", "backups/modes.zip", "exports/", "hospay.seen"}
	for {
		missing := k.modes(t, want)
		if len(missing) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the program has not written %v", missing)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// modes judges every file of the folder, and returns which of those that are
// wanted are not there.
func (k *killRun) modes(t *testing.T, want []string) (missing []string) {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(k.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone meanwhile
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		name, _ := filepath.Rel(k.dir, path)
		fmt.Fprintln(&all, filepath.ToSlash(name))
		if open := info.Mode().Perm() & 0o077; open != 0 && info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is %s: others on the machine can reach it", name, info.Mode())
		}
		return nil
	})
	k.must(err)
	for _, name := range want {
		if !strings.Contains(all.String(), name) {
			missing = append(missing, name)
		}
	}
	return missing
}
