package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/plugins/jsvm"
)

// scriptsFolder holds the scripts of the hospital's IT, within the data folder.
const scriptsFolder = "pb_hooks"

// UseScripts loads the scripts of the data folder when it has some. They run under
// the guards and triggers of the database like everybody else. A script that cannot
// be read is told and left out, and so are those after it: nobody's refund waits
// for it. A folder of JS migrations is not looked at: tables are this program's.
func UseScripts(app core.App) (err error) {
	dir := filepath.Join(app.DataDir(), scriptsFolder)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("%v", broken)
		}
		if err != nil {
			err = fmt.Errorf("%s 里的脚本有错误，出错的和它之后的脚本没有生效：%w", dir, err)
		}
	}()
	return jsvm.Register(app, jsvm.Config{HooksDir: dir, HooksPoolSize: 4, MigrationsDir: filepath.Join(dir, "no-migrations"), TypesDir: dir})
}
