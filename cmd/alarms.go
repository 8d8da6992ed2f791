package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hospay/deploy"
	"hospay/internal/alerts"
)

// alertFile holds a hospital's own alert rules, in its data folder.
const alertFile = "alerts.yml"

// alertRules are the rules by which people are told: the hospital's own where it
// has some, else the shipped ones. With an error the shipped ones hold.
func alertRules(dir string) ([]alerts.Rule, error) {
	shipped, err := alerts.Parse(deploy.Alerts)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, alertFile))
	if errors.Is(err, fs.ErrNotExist) {
		return shipped, nil
	}
	if err != nil {
		return shipped, fmt.Errorf("%s 读不出，仍按自带的规则报警：%w", alertFile, err)
	}
	own, err := alerts.Parse(string(text))
	switch {
	case err != nil:
		return shipped, fmt.Errorf("%s 无法识别，仍按自带的规则报警：%w", alertFile, err)
	case len(own) == 0:
		return shipped, fmt.Errorf("%s 里没有规则，仍按自带的规则报警；不需要时请删除这个文件", alertFile)
	}
	return own, nil
}
