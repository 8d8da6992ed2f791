package cmd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"hospay/deploy"
	"hospay/hooks/gate"
	"hospay/internal/vault"
)

// place makes the settings file and the two keys, and lets this process go by
// them.
func (a *asker) place() error {
	path := environmentFile()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := a.writeSettings(path); err != nil {
			return err
		}
	} else if err != nil {
		return err
	} else {
		fmt.Fprintf(a.out, "✓ 已有：设置文件 %s\n", path)
	}
	if err := os.Setenv(envFile, path); err != nil {
		return err
	}
	if err := loadEnvironment(a.out); err != nil {
		return err
	}
	key := os.Getenv(envKeyFile)
	if key == "" {
		return fmt.Errorf("%s 里没有 %s", path, envKeyFile)
	}
	if _, err := os.Stat(key); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dataDir(), "data.db")); err == nil {
			return fmt.Errorf("数据目录 %s 已有数据，密钥文件 %s 却不在：请放回原来的密钥文件，新的打不开旧数据", dataDir(), key)
		}
		if err := vault.NewKeyFile(vault.AlgSM4, false).Write(key); err != nil {
			return err
		}
		fmt.Fprintf(a.out, "✓ 已生成密钥文件 %s。请现在另存一份到保险柜：没有它，加密的数据和备份都打不开。\n", key)
	} else {
		fmt.Fprintf(a.out, "✓ 已有：密钥文件 %s\n", key)
	}
	return keySettings()
}

// keySettings makes the file with the key of PocketBase's settings.
func keySettings() error {
	file := os.Getenv(envSealing + "_FILE")
	if file == "" || os.Getenv(envSealing) != "" {
		return nil
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(file, []byte((rand.Text() + rand.Text())[:32]+"\n"), 0o400); err != nil {
			return err
		}
	}
	return secretFromFile(envSealing)
}

// writeSettings asks where the program works and writes deploy/hospay.env with it.
func (a *asker) writeSettings(path string) error {
	folder := filepath.Dir(path)
	values := map[string]string{envKeyFile: filepath.Join(folder, "key.json"), envSealing + "_FILE": filepath.Join(folder, "settings.key")}
	dir := os.Getenv(envDir)
	if dir == "" && runtime.GOOS == "windows" {
		dir = filepath.Join(os.Getenv("ProgramData"), "hospay", "data")
	} else if dir == "" {
		dir = "/var/lib/hospay"
	}
	for _, q := range []struct {
		name string
		question
	}{
		{envName, question{key: "place.env", label: "用途", help: "production 正式使用；demo 只用于在模拟器上试装。", def: EnvProduction,
			choices: []string{EnvProduction, EnvDemo}}},
		{envDir, question{key: "place.dir", label: "数据目录", def: dir, check: absolutePath}},
		{envHTTP, question{key: "place.http", label: "患者和员工使用的监听地址", help: "前面放 nginx 时保持默认。", def: "127.0.0.1:8090"}},
		{envAdmin, question{key: "place.admin", label: "信息科后台的监听地址", help: "只在本机或管理网可达。", def: "127.0.0.1:8091"}},
		{envProxy, question{key: "place.proxy", label: "前面的反向代理的地址", help: "没有写 none；nginx 在本机写 127.0.0.1。", def: "127.0.0.1",
			check: func(s string) error { _, err := gate.ParseProxies(s, ""); return err }}},
		{envBackups, question{key: "place.backups", label: "每晚备份放在哪个目录", help: "另一块磁盘，先建好；现在没有可跳过，以后写进设置文件。",
			optional: true, check: folderExists}},
	} {
		v, err := a.ask(q.question)
		if err != nil {
			return err
		}
		values[q.name] = v
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return fmt.Errorf("建不了 %s（需要 root 或管理员权限，或用 %s 另指一个文件）：%w", folder, envFile, err)
	}
	if err := os.WriteFile(path, []byte(fillSettings(values)), 0o640); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "✓ 已写设置文件 %s\n", path)
	return nil
}

// fillSettings is the sample of the settings file with values in their lines; an
// empty value leaves the line as it is.
func fillSettings(values map[string]string) string {
	text := deploy.Environment
	for name, v := range values {
		if v != "" {
			line := regexp.MustCompile(`(?m)^#?` + name + `=.*$`)
			text = line.ReplaceAllLiteralString(text, name+"="+v)
		}
	}
	return text
}

func absolutePath(path string) error {
	if !filepath.IsAbs(path) || strings.ContainsAny(path, "\"'\r\n") {
		return errors.New("应为绝对路径")
	}
	return nil
}

func folderExists(path string) error {
	if err := absolutePath(path); err != nil {
		return err
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return errors.New("目录不存在，请先建好")
	}
	return nil
}
