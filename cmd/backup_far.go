package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"hospay/backup"
	"hospay/collections"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// bucket is a bucket of S3, or of what speaks like it inside the house. Backups are
// sealed before they get there.
type bucket struct{ endpoint, name, region, key, secret string }

// farPlace reads where backups go besides folders; nil where they go nowhere.
func farPlace(address string) (backup.Place, error) {
	if address == "" {
		return nil, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%s 应形如 https://s3.example-hospital.cn/桶名?region=…", envS3)
	}
	if err := secretFromFile(envS3Pass); err != nil {
		return nil, err
	}
	b := bucket{endpoint: u.Scheme + "://" + u.Host, name: strings.Trim(u.Path, "/"), region: u.Query().Get("region"),
		key: os.Getenv(envS3Key), secret: os.Getenv(envS3Pass)}
	if b.region == "" {
		b.region = "us-east-1" // what stores of one's own go by
	}
	if b.key == "" || b.secret == "" {
		return nil, fmt.Errorf("有 %s，还要 %s 和 %s（或 %s_FILE）", envS3, envS3Key, envS3Pass, envS3Pass)
	}
	return b, nil
}

func (b bucket) open(do func(*filesystem.System) error) (err error) {
	s, err := filesystem.NewS3(b.name, b.region, b.endpoint, b.key, b.secret, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(s)
}

// Put implements backup.Place. What arrived must be as long as what was sent.
func (b bucket) Put(ctx context.Context, name, path string) error {
	return b.open(func(s *filesystem.System) error {
		s.SetContext(ctx)
		f, err := filesystem.NewFileFromPath(path)
		if err != nil {
			return err
		}
		if err := s.UploadFile(f, name); err != nil {
			return err
		}
		there, err := s.Attributes(name)
		if err == nil && there.Size != f.Size {
			err = fmt.Errorf("传了 %d 字节，那边是 %d 字节", f.Size, there.Size)
		}
		return err
	})
}

// Names implements backup.Place.
func (b bucket) Names() (out []string, err error) {
	return out, b.open(func(s *filesystem.System) error {
		list, err := s.List("hospay-")
		for _, o := range list {
			out = append(out, o.Key)
		}
		return err
	})
}

// Remove implements backup.Place.
func (b bucket) Remove(name string) error {
	return b.open(func(s *filesystem.System) error { return s.Delete(name) })
}

// noteBackup writes a backup that somebody makes by the command into the audit log,
// before it is made, and the log's end into the folder. A folder that another
// release has written is left as it is.
func noteBackup(dir, name string, out io.Writer) error {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, EncryptionEnv: envSealing, DBConnect: collections.Connect})
	defer func() { _ = app.ClearBootstrap() }()
	if err := app.Bootstrap(); err != nil {
		return err
	}
	pending, err := ThisProgram().Pending(app)
	if err != nil || pending.Fresh || pending.Guards || len(pending.Files) > 0 {
		fmt.Fprintln(out, "数据目录由另一个版本的程序写过，这次备份不记入审计日志")
		return nil
	}
	o := FromEnvironment(dir)
	collections.SetClock(app, o.clock())
	keyChain(app, dir)
	v, err := openVault(app, o)
	if err != nil {
		return err
	}
	_, err = store.New(app, v).AnchorBackup(name)
	return err
}
