package cmd

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hospay/deploy"
)

// TestService_UnitIsTheSampleWithItsPaths: what `service install` writes is
// deploy/hospay.service, and what lies elsewhere may be written there.
func TestService_UnitIsTheSampleWithItsPaths(t *testing.T) {
	if got := unit("/usr/bin/hospay", "/etc/hospay/hospay.env", "/var/lib/hospay", "hospay"); got != deploy.Unit {
		t.Errorf("the unit of the usual paths is not the sample:\n%s", got)
	}
	t.Setenv(envBackups, "/backup/a")
	t.Setenv(envSecond, "/backup/b")
	got := unit("/opt/hos pay/hospay", "/opt/h/hospay.env", "/data/hospay", "refund")
	for _, want := range []string{`ExecStart="/opt/hos pay/hospay" serve`,
		"EnvironmentFile=/opt/h/hospay.env", "User=refund\n", "Group=refund\n",
		"ReadWritePaths=-/backup/a -/backup/b /data/hospay\n", "ProtectSystem=strict\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "StateDirectory") {
		t.Error("a data folder elsewhere is no state directory")
	}
}

// TestService_SystemdUnderstandsTheUnit: where systemd's own judge is at hand, it
// finds no fault and calls the service well kept.
func TestService_SystemdUnderstandsTheUnit(t *testing.T) {
	bin, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("no systemd-analyze on this machine: only the text was judged")
		return
	}
	me, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "hospay.service")
	text := unit(me, "/etc/hospay/hospay.env", "/var/lib/hospay", "root")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(bin, "verify", "--man=no", file).CombinedOutput()
	for line := range strings.Lines(string(out)) { // of other units it speaks, too
		if strings.Contains(line, "hospay.service") {
			t.Errorf("verify: %s", line)
		}
	}
	if err != nil && !strings.Contains(string(out), "hospay.service") {
		t.Logf("verify ended with %v: %s", err, out)
	}
	out, err = exec.Command(bin, "security", "--offline=true", "--threshold=25", "--no-pager", file).CombinedOutput()
	if err != nil {
		t.Errorf("exposure above 2.5: %v\n%s", err, out)
	}
}

func TestService_SettingsFileIsReadAsSystemdReadsIt(t *testing.T) {
	got := map[string]string{}
	read := func(text string) error {
		clear(got)
		return readEnvironment("f", []byte(text), func(k, v string) error { got[k] = v; return nil })
	}
	if err := read(deploy.Environment); err != nil {
		t.Fatal(err)
	}
	if got[envDir] != "/var/lib/hospay" || got[envHTTP] != "127.0.0.1:8090" || got[envAdmin] != "127.0.0.1:8091" || got[envBackups] != "" {
		t.Errorf("sample: %v", got)
	}
	if err := read("\ufeff# c\r\nHOSPAY_DIR = \"C:\\Program Files\\x\"\r\nPB_ENCRYPTION_KEY='a=b'\n"); err != nil {
		t.Fatal(err)
	}
	if got[envDir] != `C:\Program Files\x` || got[envSealing] != "a=b" {
		t.Errorf("%v", got)
	}
	for _, bad := range []string{"HOSPAY_DIR", "PATH=/tmp", "export HOSPAY_DIR=/x"} {
		if err := read("\n" + bad); err == nil || !strings.Contains(err.Error(), "第 2 行") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestService_EnvironmentGoesBeforeTheFile(t *testing.T) {
	for _, name := range []string{envName, envDir, envKeyFile, envSealing, envSealing + "_FILE"} {
		t.Setenv(name, "")
	}
	file := filepath.Join(t.TempDir(), "hospay.env")
	t.Setenv(envFile, file)
	var note bytes.Buffer
	if err := loadEnvironment(&note); err == nil {
		t.Error("a named file that is not there is no trouble")
	}
	text := "HOSPAY_DIR=/a\nHOSPAY_KEY_FILE=/k\nPB_ENCRYPTION_KEY_FILE=/s\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(envDir, "/b")
	t.Setenv(envSealing, "held by the environment")
	if err := loadEnvironment(&note); err != nil {
		t.Fatal(err)
	}
	if os.Getenv(envDir) != "/b" || os.Getenv(envKeyFile) != "/k" || os.Getenv(envSealing+"_FILE") != "" || dataDir() != "/b" {
		t.Errorf("%q %q %q", os.Getenv(envDir), os.Getenv(envKeyFile), os.Getenv(envSealing+"_FILE"))
	}
}

// TestService_StopsAndFailsAsTheManagerExpects: a stop waits for what is under
// way; a program that ends by itself takes the process along.
func TestService_StopsAndFailsAsTheManagerExpects(t *testing.T) {
	var order []string
	end, exits := make(chan struct{}), make(chan int, 1)
	m := newManaged(func() error { <-end; order = append(order, "ran"); return nil },
		func() error { order = append(order, "stop"); close(end); return nil }, func(code int) { exits <- code })
	if err := m.Start(nil); err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(nil); err != nil || !slices.Equal(order, []string{"stop", "ran"}) || len(exits) > 0 {
		t.Errorf("%v %v", err, order)
	}
	failed := newManaged(func() error { return errors.New("port is taken") }, func() error { return nil }, func(code int) { exits <- code })
	if err := failed.Start(nil); err != nil {
		t.Fatal(err)
	}
	if code := <-exits; code != 1 {
		t.Errorf("exit %d", code)
	}
}

// TestService_InstallsWithSystemd plays the machine: the folder of units and
// systemctl are stand-ins in a mount namespace, where this machine allows one.
func TestService_InstallsWithSystemd(t *testing.T) {
	dir := t.TempDir()
	calls, units, fake := filepath.Join(dir, "calls"), filepath.Join(dir, "units"), filepath.Join(dir, "bin")
	for _, d := range []string{units, fake} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script := "#!/bin/sh\necho \"$@\" >>" + calls + "\ncase $1 in is-active) echo active;; --version) echo systemd 252;; esac\n"
	if err := os.WriteFile(filepath.Join(fake, "systemctl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "hospay.env")
	if err := os.WriteFile(settings, []byte("HOSPAY_DIR="+dir+"/data\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "hospay")
	if out, err := exec.Command("go", "build", "-o", bin, "..").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	steps := "mkdir -p /etc/systemd/system /run/systemd/system && mount --bind " + units + " /etc/systemd/system && set -e\n"
	for _, step := range []string{"service install --user root", "service status", "service start", "service stop"} {
		steps += bin + " " + step + "\n"
	}
	run := func(script string) (string, error) {
		c := exec.Command("unshare", "--mount", "sh", "-c", script)
		c.Env = append(os.Environ(), "PATH="+fake+":"+os.Getenv("PATH"), envFile+"="+settings, envName+"=", envDir+"=")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := run("true"); err != nil {
		t.Logf("no mount namespace on this machine (%v %s): the installation itself was not tried", err, out)
		return
	}
	if out, err := run(steps); err != nil || !strings.Contains(out, "已安装为系统服务") || !strings.Contains(out, "运行中") {
		t.Fatalf("%v\n%s", err, out)
	}
	have, err := os.ReadFile(filepath.Join(units, "hospay.service"))
	if want := unit(bin, settings, dir+"/data", "root"); err != nil || string(have) != want {
		t.Errorf("%v\n%s", err, have)
	}
	if out, err := run("mount --bind " + units + " /etc/systemd/system && " + bin + " service uninstall"); err != nil {
		t.Errorf("%v %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(units, "hospay.service")); !os.IsNotExist(err) {
		t.Error("the unit is still there")
	}
	said, _ := os.ReadFile(calls)
	for _, verb := range []string{"enable", "daemon-reload", "start", "stop", "disable"} {
		want := strings.TrimSpace(verb + map[bool]string{true: "", false: " hospay.service"}[verb == "daemon-reload"])
		if !strings.Contains(string(said), want) {
			t.Errorf("systemctl was not asked for %q:\n%s", want, said)
		}
	}
}
