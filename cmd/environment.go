package cmd

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Environment variables that say where the program works.
const (
	envFile  = "HOSPAY_ENV_FILE"
	envDir   = "HOSPAY_DIR"
	envHTTP  = "HOSPAY_HTTP"
	envAdmin = "HOSPAY_ADMIN"
)

// environmentFile is where the settings of this machine are kept, for the
// service and for whoever types a command.
func environmentFile() string {
	if path := os.Getenv(envFile); path != "" {
		return path
	}
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("ProgramData"), "hospay", "hospay.env")
	}
	return "/etc/hospay/hospay.env"
}

// loadEnvironment sets what the file says and the environment does not. A file
// that was named must be there; of the usual one a note is enough where it may
// not be read. With HOSPAY_ENV set, only a named file is looked at: whoever sets
// it has said how to run.
func loadEnvironment(note io.Writer) error {
	named := os.Getenv(envFile) != ""
	if !named && os.Getenv(envName) != "" {
		return nil
	}
	path := environmentFile()
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
	case !named && errors.Is(err, fs.ErrNotExist):
		return nil
	case !named && errors.Is(err, fs.ErrPermission):
		fmt.Fprintf(note, "没有权限读 %s，未采用其中的设置；请用 sudo -u hospay hospay …\n", path)
		return nil
	default:
		return fmt.Errorf("读不了设置文件 %s：%w", path, err)
	}
	return readEnvironment(path, text, func(k, v string) error {
		if os.Getenv(k) != "" || os.Getenv(strings.TrimSuffix(k, "_FILE")) != "" {
			return nil
		}
		return os.Setenv(k, v)
	})
}

// readEnvironment reads lines of NAME=value as systemd does: # begins a comment,
// quotes around a value fall away. Other programs' variables have no place here.
func readEnvironment(path string, text []byte, set func(k, v string) error) error {
	n := 0
	for lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))); lines.Scan(); {
		n++
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		k, v, ok := strings.Cut(line, "=")
		k, v = strings.TrimSpace(k), strings.TrimSpace(v)
		if !ok || !strings.HasPrefix(k, "HOSPAY_") && k != envSealing && k != envSealing+"_FILE" {
			return fmt.Errorf("%s 第 %d 行无法识别：每行应为 名称=值，名称以 HOSPAY_ 开头，或为 %s、%s_FILE", path, n, envSealing, envSealing)
		}
		if len(v) > 1 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
			v = v[1 : len(v)-1]
		}
		if err := set(k, v); err != nil {
			return err
		}
	}
	return nil
}

// dataDir is the data folder when --dir names none.
func dataDir() string {
	if dir := os.Getenv(envDir); dir != "" {
		return dir
	}
	return defaultDir
}
